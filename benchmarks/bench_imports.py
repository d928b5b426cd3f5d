"""How many records of each real file come in, and how long that takes, into a real database."""

from __future__ import annotations

import os
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

from datasets_app.importing.running import import_file
from datasets_app.models import ImportJob, ImportReject, Source
from datasets_app.sources.windows import windows
from datasets_app.texts import read_turns

RUNS = 3
PROJECT = Path(__file__).resolve().parent.parent
REAL_DATA = Path(os.environ.get("PROMETHEUS_REAL_DATA", PROJECT.parent / "shared" / "data" / "real"))
FILES = {
    "AnnoMI": ("annomi/AnnoMI-simple.csv", "annomi"),
    "counsel-chat": ("counsel-chat/20200325_counsel_chat.csv", "counsel_chat"),
    "ESConv (failed)": ("esconv/FailedESConv.json", "auto"),
    "Psy-Insight": ("psy-insight/en_data_version7.json", "auto"),
    "hh-rlhf (test)": ("hh-rlhf/test.jsonl.gz", "auto"),
}


def run() -> list[dict[str, Any]]:
    """Return a row per file; files that are not there, or that no reader takes yet, say so."""
    return [_row(name, REAL_DATA / path, format) for name, (path, format) in FILES.items()]


def _row(name: str, path: Path, format: str) -> dict[str, Any]:
    if not path.exists():
        return {"file": name, "outcome": "NOT MEASURED: the file is not there"}
    seconds = []
    for attempt in range(RUNS):
        source = Source.objects.create(name=f"bench {name} {attempt}")
        began = time.perf_counter()
        job = import_file(path=path, source=source, format=format, options={})
        seconds.append(time.perf_counter() - began)
    if job.problem:
        return {"file": name, "outcome": f"refused: {job.problem}"}
    return {
        "file": name,
        "outcome": "imported",
        "in": job.record_count,
        "kept": job.kept_count,
        "rejected": _rejects(job),
        "samples (windows)": sum(len(windows(read_turns(one))) for one in _conversations(job)),
        "seconds (median of 3)": round(statistics.median(seconds), 2),
        "records/s": round(job.record_count / statistics.median(seconds)),
    }


def _rejects(job: ImportJob) -> str:
    reasons = Counter(ImportReject.objects.filter(job=job).values_list("reason", flat=True))
    return ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items())) or "none"


def _conversations(job: ImportJob) -> Any:
    return job.conversations.select_related("text__data_key")
