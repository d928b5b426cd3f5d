"""Tests of the annotation app."""
