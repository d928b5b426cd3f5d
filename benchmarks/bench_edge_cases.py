"""How fast the edge cases are written, by the command as people run it."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

PROJECT = Path(__file__).resolve().parent.parent
COUNT, SEED = 10_000, 1


def run() -> list[dict[str, Any]]:
    """The seconds of the command, start-up and report included, and what its gates measured."""
    with tempfile.TemporaryDirectory(prefix="prometheus-bench-") as folder:
        out = Path(folder) / "edge_cases.jsonl"
        cpu_before, began = _cpu_of_children(), time.perf_counter()
        done = subprocess.run(_command(out), cwd=PROJECT, capture_output=True, check=False)
        seconds, cpu = time.perf_counter() - began, _cpu_of_children() - cpu_before
        report = orjson.loads(out.with_suffix(".report.json").read_bytes())
    told = ", ".join(f"{gate['name']} {gate['measured']} ({gate['allowed']})" for gate in report["gates"])
    return [
        {
            "step": f"{report['records']:,} edge cases of 25 categories",
            "outcome": f"{'every gate met' if done.returncode == 0 else 'NOT every gate met'}: {told}",
            "seconds": round(seconds, 1),
            "CPU s": round(cpu, 1),
            "dialogues/s": round(report["records"] / seconds),
            "target": "60 s",
        }
    ]


def _command(out: Path) -> list[str]:
    name = "generate_edge_case_synthetic_dataset"
    return [sys.executable, "manage.py", name, f"--count={COUNT}", f"--seed={SEED}", f"--out={out}"]


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
