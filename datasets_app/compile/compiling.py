"""The whole compile: plan, map, reduce, write the shards, check them, and point to them last of all."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from datasets_app.compile import kernel, lookups
from datasets_app.compile.chunks import Chunk, Plan, SourceFile, cut, records_of
from datasets_app.compile.config import Config, Holdout, SourceFacts, made_up_of
from datasets_app.compile.contract import SCHEMA_VERSION, UNDECODABLE, GateResult, Manifest, Sidecar
from datasets_app.compile.digests import digest_of
from datasets_app.compile.errors import CompileError, UnusableError, writing_into
from datasets_app.compile.manifest import Made, manifest_of
from datasets_app.compile.mapping import PIPELINE_VERSION, HeldOut, MappedChunk, MapSettings, map_chunk
from datasets_app.compile.overlaps import without_overlaps
from datasets_app.compile.reducing import (
    Candidates,
    Decisions,
    Drawing,
    Families,
    candidates_in_memory,
    decide,
)
from datasets_app.compile.runner import Runner
from datasets_app.compile.store import Store, write_arrays, write_json
from datasets_app.compile.writing import (
    SHARD_RECORDS,
    hand_out_decisions,
    shard_tasks,
    write_left_out,
    write_shard,
)
from datasets_app.sources.records import Dialogue, Turn

WORK_FOLDER = ".work"
PASSING = ("build-*", "decided-*", "overlaps", "replaced")  # in the work folder, until a compile has ended
LEFT_OUT = "left-out.jsonl"
MANIFEST = "manifest.json"
PRIVATE = 0o700  # de-identified or not, it is what people said

Report = Callable[[str, int], None]  # the step, and how much of it is done
Verify = Callable[[Path, Manifest, Runner], list[GateResult]]


@dataclass(frozen=True, slots=True)
class Given:
    """One --source with its --family: a file, or a folder with all its files.

    A file is known by its own name, or by the `name` that is given.
    """

    path: Path
    family: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What to compile into which folder."""

    given: tuple[Given, ...]
    config: Config
    out: Path
    seed: int
    has_parquet: bool = True


@dataclass(frozen=True, slots=True)
class _Build:
    """A planned build: its id hangs on the inputs and the parameters, and on no clock."""

    request: Request
    plans: tuple[Plan, ...]
    params: dict[str, Any]
    build_id: str
    store: Store
    protected: str

    @property
    def chunks(self) -> list[Chunk]:
        return [chunk for plan in self.plans for chunk in plan.chunks]

    @property
    def folder(self) -> Path:
        return self.request.out / "builds" / self.build_id

    @property
    def other_artefacts(self) -> set[str]:
        """The artefacts besides those of the map that the next compile of these sources can use."""
        extracted = {Path(chunk.path).parent.name for chunk in self.chunks if chunk.is_extracted}
        return {*extracted, self.protected} - {""}


def compile_dataset(
    request: Request,
    runner: Runner,
    verify: Verify,
    report: Report,
    candidates: Candidates = candidates_in_memory,
) -> Manifest:
    """Compile the sources into `request.out` and return the manifest, which then stands there.

    A build that is there already, and whole, is checked again and not made again. `candidates` finds the
    pairs to compare; the bytes are the same whoever finds them. Raises CompileError.
    """
    sources = source_files(request)
    with _alone_in(request.out), writing_into(request.out):
        store = Store(request.out / WORK_FOLDER / "chunks")
        build, keys = _map(request, sources, store, runner, report)
        manifest = _standing(build, runner, verify, report)
        if manifest is None:
            manifest = _make(
                build, [MappedChunk(store.path(key), key) for key in keys], runner, report, candidates
            )
            report("verify", 0)
            manifest = msgspec.structs.replace(manifest, gates=verify(request.out, manifest, runner))
        write_json(request.out / MANIFEST, msgspec.to_builtins(manifest))
        store.keep_only({*keys, *build.other_artefacts})
        _clear(request.out / WORK_FOLDER)
        return manifest


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file. Raises OSError, and one of UNDECODABLE where it is none."""
    return msgspec.json.decode(path.read_bytes(), type=Manifest)


def _standing(build: _Build, runner: Runner, verify: Verify, report: Report) -> Manifest | None:
    """The manifest of this very build, checked anew, unless it is not there or its files are damaged."""
    try:
        manifest = read_manifest(build.request.out / MANIFEST)
    except (OSError, *UNDECODABLE):
        return None
    if manifest.build_id != build.build_id:
        return None
    report("verify", 0)
    gates = verify(build.request.out, manifest, runner)
    is_whole = all(gate.holds for gate in gates if gate.gate == "hash")
    return msgspec.structs.replace(manifest, gates=gates) if is_whole else None


def _make(
    build: _Build, mapped: Sequence[MappedChunk], runner: Runner, report: Report, candidates: Candidates
) -> Manifest:
    if not any(chunk.count for chunk in mapped):
        raise CompileError("No source has a single usable conversation: nothing was compiled.")
    report("reduce", 0)
    decisions = _decide(build, mapped, candidates)
    report("compare", 0)
    decisions = without_overlaps(decisions, mapped, runner, build.request.out / WORK_FOLDER / "overlaps")
    shards, left_out = _write(build, mapped, decisions, runner, report)
    config = build.request.config
    made = Made(build.build_id, config, build.params, build.plans, mapped, decisions, shards, left_out)
    return manifest_of(made)


def source_files(request: Request) -> tuple[SourceFile, ...]:
    """As `files_of`, where the configuration may speak of nothing else. Raises UnusableError."""
    out = request.out.resolve()
    if inside := next((one.path for one in request.given if out.is_relative_to(one.path.resolve())), None):
        raise UnusableError(
            f"{request.out} is inside the source {inside}, and its files would be read as sources: write "
            "somewhere else."
        )
    found = files_of(request.given, request.config)
    if unknown := set(request.config.sources) - {source.name for source in found}:
        raise UnusableError(
            f"The configuration speaks of sources that were not given: {', '.join(sorted(unknown))}."
        )
    return found


def files_of(sources: Sequence[Given], config: Config) -> tuple[SourceFile, ...]:
    """Every file that was given, each under a name of its own. Raises UnusableError."""
    found: dict[str, SourceFile] = {}
    for given in sources:
        if given.family not in config.families:
            known = ", ".join(sorted(config.families))
            raise UnusableError(f"There is no family “{given.family}”; there are {known}.")
        for path, name in _files(given.path, given.name):
            if name in found:
                raise UnusableError(
                    f"Two sources are called {name}: rename one, so that records can be told apart."
                )
            facts = config.sources.get(name, SourceFacts())
            found[name] = SourceFile(str(path), name, given.family, facts)
    return tuple(found.values())


def _files(path: Path, known_as: str) -> list[tuple[Path, str]]:
    if path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.is_file() and not one.name.startswith("."))
        if not files:
            raise UnusableError(f"The folder {path} holds no files.")
        return [(one.resolve(), one.relative_to(path).as_posix()) for one in files]
    if not path.is_file():
        raise UnusableError(f"There is no source at {path}.")
    return [(path.resolve(), known_as or path.name)]


@contextmanager
def _alone_in(out: Path) -> Iterator[None]:
    """Hold the folder's lock, which goes with this process however it ends."""
    with writing_into(out):
        out.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        (out / WORK_FOLDER).mkdir(mode=PRIVATE, exist_ok=True)
    with (out / WORK_FOLDER / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CompileError(
                f"Another compile is writing into {out}: wait until it has ended, or choose another folder."
            ) from None
        yield


def _map(
    request: Request, sources: Sequence[SourceFile], store: Store, runner: Runner, report: Report
) -> tuple[_Build, list[str]]:
    """Map the chunks of every source while the next are cut."""
    protected = _protected(request.config, store)
    plans: list[Plan] = []
    settings = {family: _settings(request.config, family, protected) for family in request.config.families}

    def calls() -> Iterator[tuple[Chunk, MapSettings, str]]:
        for source in sources:
            plans.append(Plan(source))
            for chunk in cut(plans[-1], store):
                yield chunk, settings[source.family], str(store.folder)

    keys = []
    for key in runner.map(map_chunk, calls()):
        keys.append(key)
        report("map", len(keys))
    params = _params(request)
    inputs = [(plan.source.name, plan.source.family, plan.sha256) for plan in plans]
    versions = (PIPELINE_VERSION, kernel.KERNEL_VERSION, SCHEMA_VERSION)
    build_id = digest_of(versions, inputs, params, protected)
    return _Build(request, tuple(plans), params, build_id, store, protected), keys


def _protected(config: Config, store: Store) -> str:
    """The artefact with the n-grams of gold, gate and benchmark prompts; nothing where there are none."""
    if not config.protected:
        return ""
    turns: list[tuple[Turn, ...]] = []
    hashes = []
    for name in config.protected:
        source = SourceFile(name, Path(name).name, "", SourceFacts())
        plan = Plan(source)
        for chunk in cut(plan, store):
            turns += [(turn,) for one in records_of(chunk) if isinstance(one, Dialogue) for turn in one.turns]
        hashes.append(plan.sha256)
    key = "protected-" + digest_of(kernel.KERNEL_VERSION, hashes)
    if not store.has(key):
        tokens = kernel.tokens_of(turns)
        ngrams, _ends = kernel.ngrams_of(tokens)
        table = lookups.hash_table(ngrams)
        with store.writing(key) as folder:
            write_arrays(folder, {"table": table})
    return key


def _settings(config: Config, family: str, protected: str) -> MapSettings:
    near, facts = config.near_duplicates, config.families[family]
    return MapSettings(
        phase=facts.phase,
        is_synthetic=facts.is_synthetic,
        is_rehearsal=config.is_rehearsal,
        held_out=held_out_of(config.holdouts, family),
        protected=protected,
        shingle_words=near.shingle_words,
        bands=near.bands,
        rows=near.rows,
    )


def held_out_of(holdouts: Sequence[Holdout], family: str) -> HeldOut:
    """Everything that is held out of a family."""
    own = [holdout for holdout in holdouts if holdout.family == family]
    return HeldOut(
        frozenset(source for holdout in own for source in holdout.sources),
        frozenset(session for holdout in own for session in holdout.sessions),
        max((holdout.share_of_sessions for holdout in own), default=0),
    )


def _params(request: Request) -> dict[str, Any]:
    """All that the output hangs on besides the inputs."""
    config = msgspec.to_builtins(request.config)
    config["protected"] = [Path(name).name for name in request.config.protected]
    return {
        **config,
        "seed": request.seed,
        "has_parquet": request.has_parquet,
        "shard_records": SHARD_RECORDS,
        "ngram_tokens": kernel.NGRAM_TOKENS,
    }


def _decide(build: _Build, mapped: Sequence[MappedChunk], candidates: Candidates) -> Decisions:
    config = build.request.config
    at_most = {name: family.at_most for name, family in config.families.items() if family.at_most is not None}
    families = Families([chunk.source.family for chunk in build.chunks], made_up_of(config.families))
    drawing = Drawing(at_most, build.request.seed)
    return decide(mapped, families, config.near_duplicates, drawing, candidates)


def _write(
    build: _Build, mapped: Sequence[MappedChunk], decisions: Decisions, runner: Runner, report: Report
) -> tuple[list[dict[str, Any]], Sidecar]:
    """Write the build's files in a folder of another name, which becomes the build when all are there."""
    families = [chunk.source.family for chunk in build.chunks]
    names = [chunk.source.name for chunk in build.chunks]
    work = build.request.out / WORK_FOLDER
    part, decided = work / f"build-{build.build_id}", work / f"decided-{build.build_id}"
    part.mkdir(parents=True, exist_ok=True)
    for torn in part.glob("*.part"):
        torn.unlink()
    parts = hand_out_decisions(mapped, families, decisions, decided)
    tasks = shard_tasks(parts, build.store.folder, part, has_parquet=build.request.has_parquet)
    shards = []
    for facts in runner.map(write_shard, ((task,) for task in tasks)):
        shards.append(facts)
        report("write", len(shards))
    sha256 = write_left_out(part / LEFT_OUT, mapped, names, decisions)
    shutil.rmtree(decided)
    _publish(build, part)
    return shards, Sidecar(uri=f"builds/{build.build_id}/{LEFT_OUT}", sha256=sha256)


def _publish(build: _Build, part: Path) -> None:
    """Give the build its final name in one step; a damaged build of that name gives way."""
    for note in part.glob("*.done.json"):
        note.unlink()
    build.folder.parent.mkdir(mode=PRIVATE, exist_ok=True)
    replaced = build.request.out / WORK_FOLDER / "replaced"
    shutil.rmtree(replaced, ignore_errors=True)
    if build.folder.exists():
        build.folder.rename(replaced)
    part.rename(build.folder)
    _sync(build.folder.parent)


def _clear(work: Path) -> None:
    """Take away what compiles that were stopped had begun, and the build that gave way."""
    for pattern in PASSING:
        for path in work.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
