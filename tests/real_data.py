"""Real public conversations, where this machine has them; their text stays out of the project."""

import os
from pathlib import Path

import pytest

NOT_HERE = "the real conversations are not on this machine: set PROMETHEUS_REAL_DATA to their folder"
PROJECT = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("PROMETHEUS_REAL_DATA", PROJECT.parent / "shared" / "data" / "real"))
ANNOMI = FOLDER / "annomi" / "AnnoMI-simple.csv"
COUNSEL_CHAT = FOLDER / "counsel-chat" / "20200325_counsel_chat.csv"
needs_real_data = pytest.mark.skipif(not FOLDER.is_dir(), reason=NOT_HERE)


def real_file(path: str) -> Path:
    """Return a file of the folder; skip the test, and say why, where it is not there."""
    if not (FOLDER / path).is_file():
        pytest.skip(NOT_HERE)
    return FOLDER / path
