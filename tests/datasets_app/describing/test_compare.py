"""Two builds are compared record by record; what both have as the same file is not opened."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from datasets_app.compile.contract import Manifest
from datasets_app.describing.difference import Build, difference_of
from datasets_app.storage import LocalStorage
from tests.datasets_app.compile.making import compiled, dialogue, write_dialogues

FAMILY, OTHER = "professional_therapeutic", "mental_health_datasets"


@pytest.fixture
def sources(tmp_path: Path) -> tuple[Path, Path]:
    return (
        write_dialogues(tmp_path / "stays.jsonl", map(dialogue, range(120))),
        write_dialogues(tmp_path / "goes.jsonl", map(dialogue, range(500, 540))),
    )


def made(out: Path, *given: tuple[Path, str]) -> tuple[Manifest, Build]:
    manifest = compiled(out, given)
    return manifest, Build(manifest, LocalStorage(out).read)


def test_the_same_build_differs_in_nothing_and_opens_nothing(
    tmp_path: Path, sources: tuple[Path, Path]
) -> None:
    manifest, _ = made(tmp_path / "out", (sources[0], FAMILY))

    def refuse(path: str) -> bytes:
        raise AssertionError(f"{path} was opened")

    found = difference_of(Build(manifest, refuse), Build(manifest, refuse))
    assert found.is_none
    assert found.kept == manifest.total_conversations == 120
    assert found.shards_same == found.shards_of_after == 3


def test_a_source_that_is_withdrawn_is_named_and_its_records_are_counted(
    tmp_path: Path, sources: tuple[Path, Path]
) -> None:
    _, before = made(tmp_path / "before", (sources[0], FAMILY), (sources[1], OTHER))
    _, after = made(tmp_path / "after", (sources[0], FAMILY))
    found = difference_of(before, after)
    assert found.inputs_removed == ["goes.jsonl"]
    assert dict(found.removed) == {OTHER: 40}
    assert (found.added.total(), found.moved.total(), found.kept) == (0, 0, 120)
    back = difference_of(after, before)
    assert (back.inputs_added, dict(back.added), back.removed.total()) == (["goes.jsonl"], {OTHER: 40}, 0)


def test_the_command_says_it_and_its_exit_code_too(
    tmp_path: Path, sources: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    made(before, (sources[0], FAMILY), (sources[1], OTHER))
    made(after, (sources[0], FAMILY))
    call_command("diff_datasets", str(before), str(before / "manifest.json"))
    assert "160 records are in both" in capsys.readouterr().out
    with pytest.raises(CommandError) as refused:
        call_command("diff_datasets", str(before), str(after), "--json")
    assert refused.value.returncode == 1
    told = json.loads(capsys.readouterr().out)
    assert told["removed"] == {OTHER: 40}
    [shard] = (after / "builds").rglob("train-*.jsonl")
    for torn in (b"{}", b"\xff"):
        shard.write_bytes(torn)
        with pytest.raises(
            CommandError, match=r"train-00000\.jsonl holds something else than records"
        ) as damaged:
            call_command("diff_datasets", str(before), str(after))
        assert damaged.value.returncode == 2
    with pytest.raises(CommandError, match=r"no manifest\.json") as missing:
        call_command("diff_datasets", str(before), str(tmp_path / "nowhere"))
    assert missing.value.returncode == 2
