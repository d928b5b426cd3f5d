"""Marks for tests that hold on some machines only."""

import os

import pytest

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root runs the servers as another user and gives files away"
)
