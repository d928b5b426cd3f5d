"""Tests of the lead's dashboard."""
