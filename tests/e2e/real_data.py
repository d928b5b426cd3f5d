"""Real public conversations, where this machine has them; their text stays out of the project."""

import os
from pathlib import Path

import pytest

FOLDER = Path(
    os.environ.get("PROMETHEUS_REAL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data" / "real")
)
needs_real_data = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason="the real conversations are not on this machine: set PROMETHEUS_REAL_DATA to their folder",
)
ANNOMI = FOLDER / "annomi" / "AnnoMI-simple.csv"
COUNSEL_CHAT = FOLDER / "counsel-chat" / "20200325_counsel_chat.csv"
