"""Tests of hours and pay."""
