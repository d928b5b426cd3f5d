"""Tests of the demo conversations."""
