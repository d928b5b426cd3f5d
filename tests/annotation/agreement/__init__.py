"""Tests of the agreement figures, against printed tables and independent packages."""
