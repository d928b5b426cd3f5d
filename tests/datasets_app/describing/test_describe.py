"""The card and the metadata say what the manifest says, and name the files that are there."""

import hashlib
import re
from pathlib import Path

import msgspec
import pytest
import yaml

from datasets_app.compile.contract import GateResult, Manifest
from datasets_app.describing.card import card_of
from datasets_app.describing.croissant import CONFORMS_TO, croissant_of
from tests.datasets_app.compile.making import compiled, dialogue, write_dialogues

ADDRESS = "s3://pixel-data/final_dataset"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def manifest(tmp_path: Path, out: Path) -> Manifest:
    talks = write_dialogues(tmp_path / "a|b.jsonl", [*map(dialogue, range(150)), dialogue(3)])
    return compiled(out, [(talks, "professional_therapeutic")])


def rows_of(card: str, title: str) -> list[list[str]]:
    """The rows of the table under a heading, the head left out."""
    part = card.split(f"## {title}\n\n")[1].split("\n\n")[0]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in part.splitlines()]
    return [[cell.strip() for cell in line] for line in cells[2:]]


def test_the_card_counts_what_the_manifest_counts(manifest: Manifest) -> None:
    card = card_of(manifest)
    families = {row[0]: row for row in rows_of(card, "What is in it")}
    assert families.keys() == manifest.source_families.keys()
    own = manifest.source_families["professional_therapeutic"]
    splits = [str(own.splits[split]) for split in ("train", "val", "test")]
    assert families["professional_therapeutic"] == [
        "professional_therapeutic",
        "real",
        *splits,
        "150",
        f"{own.target:,}",
        f"{own.shortfall:,}",
    ]
    assert families["edge_case_synthetic"][1] == "made up"
    assert ["exact duplicates", "1"] in rows_of(card, "What was left out")
    [source] = rows_of(card, "What it was made from")
    assert source[:4] == ["a\\|b.jsonl", "professional_therapeutic", "151", "unknown"]


def test_a_gate_that_does_not_hold_is_told(manifest: Manifest) -> None:
    failing = GateResult(gate="leakage", holds=False, findings=["s1 is in train and test"])
    [row] = rows_of(card_of(msgspec.structs.replace(manifest, gates=[failing])), "Whether it can be trusted")
    assert row == ["leakage", "**no**", "s1 is in train and test"]


def test_the_hub_finds_the_files_of_each_split(manifest: Manifest, out: Path) -> None:
    facts = yaml.safe_load(card_of(manifest).split("---\n")[1])
    folder = out / "builds" / manifest.build_id
    for files in facts["configs"][0]["data_files"]:
        assert list(folder.glob(files["path"]))
    assert facts["size_categories"] == ["n<1K"]


def test_croissant_names_every_file_with_its_hash(manifest: Manifest, out: Path) -> None:
    found = croissant_of(manifest, ADDRESS)
    assert (found["conformsTo"], found["url"]) == (CONFORMS_TO, ADDRESS)
    folder = out / "builds" / manifest.build_id
    files = {one["contentUrl"]: one for one in found["distribution"] if one["@type"] == "cr:FileObject"}
    there = {path.name for path in folder.iterdir() if path.suffix in (".jsonl", ".parquet")}
    assert files.keys() == there - {"left-out.jsonl"}
    for name, one in files.items():
        data = (folder / name).read_bytes()
        assert one["sha256"] == hashlib.sha256(data).hexdigest()
        assert one["contentSize"] == f"{len(data)} B"


def test_croissant_reads_every_split_from_files_that_are_there(manifest: Manifest, out: Path) -> None:
    found = croissant_of(manifest, ADDRESS)
    sets = {one["@id"]: one for one in found["distribution"] if one["@type"] == "cr:FileSet"}
    assert [one["@id"] for one in found["recordSet"]] == ["train", "val", "test"]
    for records in found["recordSet"]:
        for field in (*records["field"][1:], *records["field"][0]["subField"]):
            own = sets[field["source"]["fileSet"]["@id"]]
            assert list((out / "builds" / manifest.build_id).glob(own["includes"]))
