"""Tests of the streams process."""
