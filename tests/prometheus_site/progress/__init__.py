"""Tests of the board, the progress page and the admin pages."""
