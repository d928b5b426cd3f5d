"""Tests of the foundation data."""
