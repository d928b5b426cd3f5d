"""Publishing to S3: shards first and compared, the manifest last and only over the one that was known."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from datasets_app.compile.compiling import Given, Request, compile_dataset
from datasets_app.compile.config import load_config
from datasets_app.compile.runner import Inline, runner_for
from datasets_app.describing.card import card_of
from datasets_app.describing.croissant import croissant_of
from datasets_app.publishing import NotPublishableError, publish
from datasets_app.storage import (
    ConflictError,
    LocalStorage,
    MissingError,
    S3Storage,
    Storage,
    StorageError,
    folder_of,
    storage_at,
)
from datasets_app.verify import failed, read_dataset, verify_dataset, verify_local
from tests.datasets_app.compile.making import dialogue, write_dialogues

from .s3 import BUCKET, REGION, S3Server, running_s3

ADDRESS = f"s3://{BUCKET}/final_dataset"
OBJECTS = 7  # three splits as JSON Lines and Parquet, and the list of what was left out
DESCRIPTIONS = 2  # the card and the Croissant metadata


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dataset")
    talks = write_dialogues(folder / "talks.jsonl", map(dialogue, range(200)))
    request = Request((Given(talks, "professional_therapeutic"),), load_config(), folder / "out", 1)
    manifest = compile_dataset(request, Inline(), verify_local, lambda step, done: None)
    assert failed(manifest.gates) == []
    return folder / "out"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    with running_s3() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret)
        yield server


def carry(dataset: Path, target: Storage) -> None:
    publish(LocalStorage(dataset), target, lambda path, number, count: None)


def test_what_is_published_verifies_from_s3(dataset: Path, s3: S3Server) -> None:
    carry(dataset, S3Storage(ADDRESS))
    manifest = read_dataset(ADDRESS)
    with runner_for(2) as runner:
        assert failed(verify_dataset(ADDRESS, manifest, runner)) == []
    assert (len(s3.puts), s3.puts[-1]) == (OBJECTS + DESCRIPTIONS + 1, "manifest.json")


def test_the_card_and_the_metadata_stand_beside_the_shards(dataset: Path, s3: S3Server) -> None:
    target = S3Storage(ADDRESS)
    carry(dataset, target)
    manifest = read_dataset(ADDRESS)
    folder = f"builds/{manifest.build_id}"
    assert target.read(f"{folder}/README.md").decode() == card_of(manifest)
    assert orjson.loads(target.read(f"{folder}/croissant.json")) == croissant_of(manifest, ADDRESS)


def test_publishing_again_writes_nothing(dataset: Path, s3: S3Server) -> None:
    carry(dataset, S3Storage(ADDRESS))
    s3.puts.clear()
    carry(dataset, S3Storage(ADDRESS))
    assert s3.puts == []


def test_dropped_connections_are_tried_again(dataset: Path, s3: S3Server) -> None:
    target = S3Storage(ADDRESS)
    s3.connections_to_drop = 3
    carry(dataset, target)
    assert failed(verify_dataset(ADDRESS, read_dataset(ADDRESS), Inline())) == []


def test_an_interrupted_upload_shows_no_manifest_and_goes_on(dataset: Path, s3: S3Server) -> None:
    s3.puts_allowed = 4
    with pytest.raises(StorageError):
        carry(dataset, S3Storage(ADDRESS))
    assert S3Storage(ADDRESS).read_pointer("manifest.json") is None
    s3.puts_allowed = None
    s3.puts.clear()
    carry(dataset, S3Storage(ADDRESS))
    assert len(s3.puts) == OBJECTS - 4 + DESCRIPTIONS + 1
    assert s3.puts[-1] == "manifest.json"


def test_bytes_that_come_back_different_are_written_again(dataset: Path, s3: S3Server) -> None:
    s3.puts_to_corrupt = 2
    carry(dataset, S3Storage(ADDRESS))
    assert failed(verify_dataset(ADDRESS, read_dataset(ADDRESS), Inline())) == []


def test_a_storage_that_never_gives_the_same_back_gets_no_manifest(dataset: Path, s3: S3Server) -> None:
    s3.puts_to_corrupt = 99
    with pytest.raises(StorageError, match=r"gave back another builds/.* than was written, 3 times"):
        carry(dataset, S3Storage(ADDRESS))
    assert S3Storage(ADDRESS).read_pointer("manifest.json") is None


def test_a_shard_lost_in_s3_fails_the_gates_there(dataset: Path, s3: S3Server) -> None:
    target = S3Storage(ADDRESS)
    carry(dataset, target)
    manifest = read_dataset(ADDRESS)
    shard = manifest.splits.val.shards[0]
    target.put(shard.path, target.read(shard.path)[:-10])
    assert "hash" in failed(verify_dataset(ADDRESS, manifest, Inline()))


def test_a_manifest_somebody_else_wrote_meanwhile_stays(dataset: Path, s3: S3Server) -> None:
    target = S3Storage(ADDRESS)

    def meddle(path: str, number: int, count: int) -> None:
        target.put("manifest.json", b"{}")

    with pytest.raises(ConflictError, match="Somebody else has written"):
        publish(LocalStorage(dataset), target, meddle)
    assert target.read("manifest.json") == b"{}"


def test_a_newer_build_takes_the_place_of_the_known_one(dataset: Path, s3: S3Server) -> None:
    target = S3Storage(ADDRESS)
    target.put("manifest.json", b"{}")
    carry(dataset, target)
    assert target.read("manifest.json") == (dataset / "manifest.json").read_bytes()


def test_rights_that_are_missing_are_said(dataset: Path, s3: S3Server) -> None:
    with pytest.raises(StorageError, match="AccessDenied"):
        carry(dataset, S3Storage(f"s3://{BUCKET}/elsewhere"))


def test_without_a_key_it_is_said_what_to_do(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StorageError, match="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name"):
        S3Storage(ADDRESS).read_pointer("manifest.json")


def test_a_dataset_that_fails_a_gate_is_not_published(dataset: Path, tmp_path: Path) -> None:
    manifest = orjson.loads((dataset / "manifest.json").read_bytes())
    for gates in ([{**manifest["gates"][0], "holds": False}, *manifest["gates"][1:]], []):
        (tmp_path / "manifest.json").write_bytes(orjson.dumps({**manifest, "gates": gates}))
        with pytest.raises(NotPublishableError, match=r"These gates do not hold.*coverage"):
            publish(LocalStorage(tmp_path), LocalStorage(tmp_path / "to"), lambda path, number, count: None)
    assert not (tmp_path / "to").exists()


def test_a_folder_is_published_to_like_s3(dataset: Path, tmp_path: Path) -> None:
    carry(dataset, LocalStorage(tmp_path / "to"))
    address = str(tmp_path / "to")
    assert (tmp_path / "to").stat().st_mode & 0o777 == 0o700
    assert failed(verify_dataset(address, read_dataset(address), Inline())) == []


def test_a_folder_keeps_what_somebody_else_wrote(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    storage.put_pointer("manifest.json", b"one", None)
    with pytest.raises(ConflictError):
        storage.put_pointer("manifest.json", b"two", None)
    _data, known = storage.read_pointer("manifest.json") or (b"", "")
    storage.put_pointer("manifest.json", b"two", known)
    assert storage.read("manifest.json") == b"two"


def test_paths_stay_inside_the_folder(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="leads out of"):
        LocalStorage(tmp_path / "in").read("../secret")
    with pytest.raises(MissingError):
        LocalStorage(tmp_path).read("absent")


@pytest.mark.parametrize(
    ("given", "folder"),
    [("a/manifest.json", "a"), ("a", "a"), ("manifest.json", "."), (f"{ADDRESS}/manifest.json", ADDRESS)],
)
def test_file_and_folder_name_the_same_dataset(given: str, folder: str) -> None:
    assert folder_of(given, "manifest.json") == folder
    assert isinstance(storage_at("somewhere"), LocalStorage)
