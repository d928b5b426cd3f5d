"""Tests of schemes and answers."""
