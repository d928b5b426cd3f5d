"""One extraction: read the sources one after the other, write what was taken and what was left out."""

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec
import orjson
from msgspec import UNSET

from datasets_app.compile.chunks import SourceFile, read_options
from datasets_app.compile.compiling import Given, files_of
from datasets_app.compile.config import Config
from datasets_app.compile.contract import Record
from datasets_app.compile.errors import UnusableError
from datasets_app.extraction.long_running import (
    DUPLICATE,
    FAMILY,
    LEAST_TURNS,
    TOO_SHORT,
    Left,
    long_sessions,
)
from datasets_app.sources.records import SourceError
from datasets_app.sources.registry import read_source
from datasets_app.sources.steady import open_steady

READ_BYTES = 1024 * 1024

Report = Callable[[str, int], None]  # the source, and how many of its records were read


class ExtractionError(Exception):
    """Nothing was written; the message says why and what to do."""


class NoLongSessionsError(ExtractionError):
    """Every source was read, and none has such a session."""


@dataclass(slots=True)
class SourceTally:
    """What became of the records of one source: `taken` and all that was left out add up to `records`."""

    name: str
    sha256: str
    license: str
    taken: int = 0
    too_short: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)  # of the sessions that were taken

    @property
    def records(self) -> int:
        return self.taken + self.too_short + self.duplicates + self.rejected.total()

    @property
    def is_all_rejected(self) -> bool:
        return self.records == self.rejected.total()

    def take(self, record: Record) -> None:
        """Count a session that was taken."""
        self.taken += 1
        if record.metadata.flags is not UNSET:
            self.flags.update(record.metadata.flags)

    def leave(self, left: Left) -> None:
        """Count a record that was not taken."""
        if left.outcome == TOO_SHORT:
            self.too_short += 1
        elif left.outcome == DUPLICATE:
            self.duplicates += 1
        else:
            self.rejected[left.outcome] += 1


def left_out_beside(out: Path) -> Path:
    """Where the list of what was left out stands."""
    return out.with_suffix(".left-out.jsonl")


def report_beside(out: Path) -> Path:
    """Where the counts stand."""
    return out.with_suffix(".report.json")


def extract_long_sessions(
    paths: list[Path], config: Config, out: Path, report: Report = lambda source, done: None
) -> list[SourceTally]:
    """Write the long sessions of all sources into `out`, and its report and left-out list beside it.

    The same sources and facts about them write the same bytes. Raises ExtractionError, UnusableError where
    a source is not there, and OSError where nothing can be written.
    """
    _refuse_own_sources(paths, out)
    return extract_from(files_of([Given(path, FAMILY) for path in paths], config), config, out, report)


def extract_from(
    sources: Sequence[SourceFile], config: Config, out: Path, report: Report = lambda source, done: None
) -> list[SourceTally]:
    """The same for sources that are known by names and facts of their own."""
    written = {path.resolve() for path in (out, left_out_beside(out), report_beside(out))}
    if both := sorted(source.name for source in sources if Path(source.path) in written):
        raise UnusableError(f"{', '.join(both)} would be read and overwritten: write somewhere else.")
    phase = config.families[FAMILY].phase
    known: set[str] = set()
    with ExitStack() as stack:
        taken = stack.enter_context(_written(out))
        left_out = stack.enter_context(_written(left_out_beside(out)))
        counts = stack.enter_context(_written(report_beside(out)))
        tallies = [_extract(source, phase, known, taken, left_out, report) for source in sources]
        if not any(tally.taken for tally in tallies):
            raise NoLongSessionsError(
                f"No source has a session of {LEAST_TURNS} turns or more: nothing was written "
                f"({_in_words(tallies)})."
            )
        counts.write(orjson.dumps(_facts(tallies), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return tallies


def _refuse_own_sources(paths: list[Path], out: Path) -> None:
    """Refuse to write among the sources: the next run would take what was taken out for one of them."""
    for path in paths:
        if path.is_dir() and out.resolve().is_relative_to(path.resolve()):
            raise UnusableError(
                f"{out} lies in the folder of sources {path}, where the next run would read it as one: write "
                "it outside, and move what earlier runs wrote there."
            )


def _extract(
    source: SourceFile, phase: str, known: set[str], taken: IO[bytes], left_out: IO[bytes], report: Report
) -> SourceTally:
    try:
        with open_steady(Path(source.path), source.name) as stream:
            sha256 = hashlib.sha256()
            while data := stream.read(READ_BYTES):
                sha256.update(data)
            stream.seek(0)
            tally = SourceTally(source.name, sha256.hexdigest(), source.facts.license)
            found = read_source(
                stream, name=source.name, format=source.facts.format, options=read_options(source.facts)
            )
            for one in long_sessions(found, source, phase, known):
                if isinstance(one, Left):
                    tally.leave(one)
                    listed = {"source": source.name, "row": one.row, "outcome": one.outcome}
                    left_out.write(orjson.dumps({**listed, "field": one.field}) + b"\n")
                else:
                    tally.take(one)
                    taken.write(msgspec.json.encode(one) + b"\n")
                report(source.name, tally.records)
            return tally
    except SourceError as error:
        raise ExtractionError(f"{error} Nothing was written.") from None


@contextmanager
def _written(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which only its owner can open, under its name only when all went well."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
        try:
            yield part
            part.flush()
            os.fsync(part.fileno())
            os.replace(part.name, path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise


def _facts(tallies: list[SourceTally]) -> dict[str, Any]:
    sources = [
        {
            "uri": tally.name,
            "sha256": tally.sha256,
            "license": tally.license,
            "in": tally.records,
            "taken": tally.taken,
            "too_short": tally.too_short,
            "duplicates": tally.duplicates,
            "rejected": dict(sorted(tally.rejected.items())),
            "flags": dict(sorted(tally.flags.items())),
        }
        for tally in tallies
    ]
    return {"source_family": FAMILY, "least_turns": LEAST_TURNS, "sources": sources}


def _in_words(tallies: list[SourceTally]) -> str:
    return "; ".join(in_words(tally) for tally in tallies)


def in_words(tally: SourceTally) -> str:
    """The counts of a source as a line."""
    return (
        f"{tally.name}: {tally.records} read, {tally.taken} taken{_each(tally.flags)}, {tally.too_short} too "
        f"short, {tally.duplicates} repeated, {tally.rejected.total()} rejected{_each(tally.rejected)}"
    )


def _each(counts: Counter[str]) -> str:
    named = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return f" ({named})" if named else ""
