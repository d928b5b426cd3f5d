"""Tests of dangerous disagreement."""
