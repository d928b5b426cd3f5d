"""Two compiles at once, sources that go away, a full disk: a sentence, and the same bytes afterwards."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from datasets_app.compile import chunks
from datasets_app.compile.compiling import Given, Request, compile_dataset
from datasets_app.compile.config import load_config
from datasets_app.compile.errors import CompileError
from datasets_app.compile.runner import Inline, runner_for
from datasets_app.verify import failed, verify_local

from .making import compiled, dialogue, hashes_of, write_dialogues

COUNT = 200


@pytest.fixture
def talks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 50_000)
    return write_dialogues(tmp_path / "talks.jsonl", [dialogue(number) for number in range(COUNT)])


def test_a_second_compile_into_the_same_folder_is_refused(tmp_path: Path, talks: Path) -> None:
    refusals = []

    def start_another(step: str, done: int) -> None:
        with pytest.raises(CompileError, match="Another compile is writing into") as caught:
            compiled(tmp_path / "out", [(talks, "priority")])
        refusals.append(caught.value)

    first = compiled(tmp_path / "out", [(talks, "priority")], report=start_another)
    assert len(refusals) > 3
    assert first.total_conversations == COUNT
    assert compiled(tmp_path / "out", [(talks, "priority")]) == first


def test_a_source_that_vanishes_stops_the_compile_until_it_is_back(tmp_path: Path, talks: Path) -> None:
    data = talks.read_bytes()
    with pytest.raises(CompileError, match=r"^talks\.jsonl: the source cannot be read \(No such file"):
        compiled(
            tmp_path / "out", [(talks, "priority")], report=lambda step, done: talks.unlink(missing_ok=True)
        )
    assert not (tmp_path / "out" / "builds").exists()
    assert not (tmp_path / "out" / "manifest.json").exists()
    talks.write_bytes(data)
    again = compiled(tmp_path / "out", [(talks, "priority")])
    assert hashes_of(again) == hashes_of(compiled(tmp_path / "fresh", [(talks, "priority")]))


def test_a_source_that_changes_meanwhile_stops_the_compile(tmp_path: Path, talks: Path) -> None:
    data = talks.read_bytes()

    def change(step: str, done: int) -> None:
        talks.write_bytes(data.swapcase())

    with pytest.raises(CompileError, match="changed while it was read"):
        compiled(tmp_path / "out", [(talks, "priority")], report=change)
    assert not (tmp_path / "out" / "manifest.json").exists()


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Let the kernel refuse to write more into one file, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [20_000, 45_000, 120_000], ids=["while mapping", "later", "in a shard"])
def test_a_full_disk_stops_the_compile_until_there_is_room(tmp_path: Path, talks: Path, size: int) -> None:
    with no_file_larger_than(size), pytest.raises(CompileError, match="There is no room left for"):
        compiled(tmp_path / "out", [(talks, "priority")])
    assert not (tmp_path / "out" / "builds").exists()
    again = compiled(tmp_path / "out", [(talks, "priority")])
    assert again.total_conversations == COUNT
    assert hashes_of(again) == hashes_of(compiled(tmp_path / "fresh", [(talks, "priority")]))
    assert not list((tmp_path / "out").rglob("*.part*"))


def begin_and_end(folder: str, number: int) -> None:
    (Path(folder) / f"begun-{number}").touch()
    time.sleep(0.2)
    (Path(folder) / f"ended-{number}").touch()


def numbers_of(folder: Path, what: str) -> set[str]:
    return {path.name.partition("-")[2] for path in folder.glob(f"{what}-*")}


def test_who_stops_early_is_left_alone_by_the_calls_that_have_begun(tmp_path: Path) -> None:
    """They may work in a folder that is then taken away."""
    with runner_for(2) as runner:
        results = runner.map(begin_and_end, ((str(tmp_path), number) for number in range(40)))
        next(results)
        del results  # which closes it
        begun, ended = (numbers_of(tmp_path, what) for what in ("begun", "ended"))
    assert begun == ended
    assert 0 < len(begun) < 40


def test_what_a_stopped_compile_of_something_else_had_begun_is_cleared_away(
    tmp_path: Path, talks: Path
) -> None:
    def stop(step: str, done: int) -> None:
        if step == "write" and done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compiled(tmp_path / "out", [(talks, "priority")], report=stop)
    assert list((tmp_path / "out" / ".work").glob("build-*"))
    other = write_dialogues(tmp_path / "other.jsonl", [dialogue(number) for number in range(50)])
    compiled(tmp_path / "out", [(other, "priority")])
    assert {path.name for path in (tmp_path / "out" / ".work").iterdir()} == {"chunks", "lock"}


def test_a_damaged_build_is_made_anew(tmp_path: Path, talks: Path) -> None:
    """The names of the shards are all there, and one of them has lost its records."""
    request = Request((Given(talks, "professional_therapeutic"),), load_config(), tmp_path / "out", 1)

    def run() -> list[str]:
        manifest = compile_dataset(request, Inline(), verify_local, lambda step, done: None)
        assert failed(manifest.gates) == []
        return hashes_of(manifest)

    first = run()
    (shard,) = (tmp_path / "out" / "builds").rglob("train-00000.jsonl")
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    assert run() == first
    assert shard.read_bytes() == whole
