"""Tests of the care for clinicians."""
