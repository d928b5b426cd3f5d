"""How fast 5,000 of 60,000 are selected, and how well they stand for the rest beside two plainer ways."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import psutil
from numpy.typing import NDArray

from datasets_app.compile.compiling import Given, Request, compile_dataset
from datasets_app.compile.config import load_config
from datasets_app.compile.runner import runner_for
from datasets_app.selection.coverage import nearest
from datasets_app.selection.features import Vectors
from datasets_app.selection.lexicon import shipped_lexicon
from datasets_app.selection.policy import select
from datasets_app.selection.pool import read_pool
from datasets_app.storage import storage_at
from datasets_app.verify import read_dataset, verify_local

PROJECT = Path(__file__).resolve().parent.parent
RECORDS, PICKS, SEED = 60_000, 5_000, 1
FAMILIES = ("professional_therapeutic", "mental_health_datasets", "edge_case_synthetic")
TURNS, WORDS_PER_TURN, OWN_WORDS = 6, 32, 300
KMEANS_ROUNDS = 5
SAMPLE_SECONDS = 0.05
_chance = random.Random(20260707)  # noqa: S311 -- made-up text
VOCABULARY = [
    "".join(_chance.choices("abcdefghijklmnopqrstuvwxyz", k=_chance.randint(2, 9))) for _ in range(12_000)
]
FREQUENCIES = [1 / (rank + 10) for rank in range(len(VOCABULARY))]


def run() -> list[dict[str, Any]]:
    """The figures of the command, start-up and reading included, and of three ways to pick as many."""
    with tempfile.TemporaryDirectory(prefix="prometheus-bench-") as folder:
        dataset = _dataset(Path(folder))
        return [_command_row(dataset, Path(folder) / "picks"), *_likeness_rows(dataset)]


def _dataset(folder: Path) -> Path:
    """A compiled dataset of made-up conversations on topics of very different sizes."""
    topics = shipped_lexicon().categories
    own = {topic: _chance.choices(VOCABULARY, k=OWN_WORDS) for topic in topics}
    shares = np.geomspace(1, 1 / 30, len(topics))
    given = []
    for offset, family in enumerate(FAMILIES):
        path = folder / f"{family}.jsonl"
        with path.open("wb") as file:
            for number in range(offset, RECORDS, len(FAMILIES)):
                file.write(orjson.dumps(_record(number, topics, shares, own)) + b"\n")
        given.append(Given(path, family))
    request = Request(tuple(given), load_config(), folder / "dataset", SEED, has_parquet=False)
    with runner_for(psutil.cpu_count() or 1) as runner:
        compile_dataset(request, runner, verify_local, lambda step, done: None)
    return request.out


def _record(
    number: int, topics: Sequence[str], shares: NDArray[np.float64], own: dict[str, list[str]]
) -> dict[str, Any]:
    chance = random.Random(number)  # noqa: S311 -- made-up text
    [topic] = chance.choices(topics, shares.tolist())
    words = chance.choices(VOCABULARY, FREQUENCIES, k=TURNS * WORDS_PER_TURN)
    for place in chance.sample(range(len(words)), len(words) // 5):
        words[place] = chance.choice(own[topic])
    messages = [
        {
            "role": "assistant" if turn % 2 else "user",
            "content": " ".join(words[turn * WORDS_PER_TURN : (turn + 1) * WORDS_PER_TURN]),
        }
        for turn in range(TURNS)
    ]
    return {"id": f"s{number}", "messages": messages, "metadata": {"category": topic}}


def _command_row(dataset: Path, out: Path) -> dict[str, Any]:
    order = ["select_samples", str(dataset), "--count", str(PICKS), "--seed", str(SEED), "--out", str(out)]
    began = time.perf_counter()
    process = psutil.Popen(
        [sys.executable, str(PROJECT / "manage.py"), *order], cwd=PROJECT, stdout=subprocess.DEVNULL
    )
    peak, cpu = 0, 0.0
    while process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
            cpu = max(cpu, process.cpu_times().user + process.cpu_times().system)
        except psutil.NoSuchProcess:
            break
        time.sleep(SAMPLE_SECONDS)
    seconds = time.perf_counter() - began
    report = orjson.loads((out / "report.json").read_bytes())
    return {
        "step": f"{report['found']:,} picked out of {report['pool']['clusters']:,}, start-up and reading too",
        "seconds": round(seconds, 1),
        "target": "20 s",
        "CPU s": round(cpu, 1),
        "peak MB": round(peak / 1e6),
    }


def _likeness_rows(dataset: Path) -> list[dict[str, Any]]:
    lexicon = shipped_lexicon()
    pool = read_pool(storage_at(str(dataset)), read_dataset(str(dataset)), lexicon)
    selection = select(pool, lexicon, PICKS, SEED)
    vectors = selection.judged.features.vectors
    topics = [stratum.category for stratum in selection.judged.strata]
    drawn = np.random.default_rng(SEED).choice(len(vectors), PICKS, replace=False)
    ways = {
        "this selection": np.array([pick.place for pick in selection.picks]),
        "random": drawn,
        "k-means, the nearest to each centre": _kmeans(vectors),
    }
    return [_likeness_row(name, picks, vectors, topics) for name, picks in ways.items()]


def _likeness_row(
    name: str, picks: NDArray[np.int64], vectors: Vectors, topics: Sequence[str]
) -> dict[str, Any]:
    counts = Counter(topics[place] for place in picks)
    return {
        "step": f"how like the nearest pick all are: {name}",
        "picks": len(picks),
        "mean similarity": f"{nearest(vectors, vectors[picks]).mean():.4f}",
        "picks of the rarest category": min(counts[topic] for topic in set(topics)),
    }


def _kmeans(vectors: Vectors) -> NDArray[np.int64]:
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(PICKS, random_state=SEED, n_init=1, max_iter=KMEANS_ROUNDS, batch_size=20_000)
    distances = model.fit(vectors).transform(vectors)
    chosen: NDArray[np.int64] = np.unique(distances.argmin(axis=0))
    return chosen
