"""manage.py import_conversations: files of this machine, of any size."""

import csv
import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotation.campaigns.services import create_campaign
from annotation.models import Sample
from datasets_app.models import Conversation, ImportJob, ImportReject, Source
from prometheus_site.accounts.models import User
from tests.datasets_app.importing import files

pytestmark = pytest.mark.django_db


def run(*args: object) -> str:
    out = io.StringIO()
    call_command("import_conversations", *map(str, args), stdout=out)
    return out.getvalue()


@pytest.fixture
def chatml_file(tmp_path: Path) -> Path:
    path = tmp_path / "made-up.jsonl"
    path.write_bytes(files.chatml(count=5) + b"{broken\n" * 25)
    return path


def test_says_what_was_kept_and_what_was_turned_away(chatml_file: Path) -> None:
    said = run(chatml_file, "--license", "CC0", "--synthetic")

    assert "made-up.jsonl (chatml) into “made-up.jsonl”: 30 records in, 5 kept, 25 rejected." in said
    assert "  broken_json: 25" in said
    assert said.count("made-up.jsonl, row ") == 20
    assert "made-up.jsonl, row 6: broken_json. Write one complete JSON object on this line." in said
    assert "… and 5 more" in said
    assert files.PHRASE not in said
    source = Source.objects.get()
    assert (source.name, source.license_tag, source.is_synthetic) == ("made-up.jsonl", "CC0", True)


def test_writes_all_rejects_to_a_file(chatml_file: Path, tmp_path: Path) -> None:
    listed = tmp_path / "rejects.csv"

    run(chatml_file, "--rejects", listed)

    with listed.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["row"]) for row in rows] == list(range(6, 31))
    assert {(row["file"], row["reason"]) for row in rows} == {("made-up.jsonl", "broken_json")}


def test_columns_and_speakers_are_mapped(tmp_path: Path) -> None:
    path = tmp_path / "talks.csv"
    path.write_bytes(files.table(("talk", "who", "said"), ("1", "coach", "yes"), ("1", "me", "no")))

    said = run(
        path, "--column", "conversation=talk", "--column", "speaker=who", "--column", "text=said",
        "--speaker", "coach=assistant", "--speaker", "me=user", "--source", "Talks",
    )  # fmt: skip

    assert "1 records in, 1 kept, 0 rejected" in said
    assert Conversation.objects.get().source.name == "Talks"


def test_samples_go_to_the_campaign(chatml_file: Path, lead: User) -> None:
    create_campaign(name="Spring", slug="spring", created_by=lead)

    said = run(chatml_file, "--campaign", "spring")

    assert "5 samples for the campaign spring." in said
    assert Sample.objects.filter(campaign__slug="spring").count() == 5
    assert ImportJob.objects.get().campaign_slug == "spring"


@pytest.mark.parametrize(
    ("content", "args", "sentence"),
    [
        (b"", [], "the file is empty; choose a file"),
        (b"\x89 nothing anybody writes", [], "the format was not recognised; name the one it has"),
        (files.chatml(), ["--encoding", "utf-99"], "the encoding that was named does not exist"),
        (files.chatml(), ["--speaker", "coach=dog"], "must be mapped to one of system, user, assistant"),
        (files.chatml(), ["--column", "text"], "is not of the form NAME=VALUE"),
        (files.chatml(), ["--format", "telepathy"], "invalid choice: 'telepathy'"),
        (files.chatml(), ["--campaign", "none"], "There is no campaign “none”"),
        (files.chatml(), ["--rejects", "/nowhere/rejects.csv"], "/nowhere/rejects.csv: No such file"),
        (b"a,b\nc,d\n", ["--column", "prompt=a", "--column", "response=z"], "field z: the header lacks"),
    ],
)
def test_errors_are_sentences(tmp_path: Path, content: bytes, args: list[str], sentence: str) -> None:
    path = tmp_path / "made-up"
    path.write_bytes(content)

    with pytest.raises(CommandError) as refused:
        run(path, *args)

    assert sentence in str(refused.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"absent.jsonl is not a file"):
        run(tmp_path / "absent.jsonl")
    with pytest.raises(CommandError, match=r"is not a file"):
        run(tmp_path)


def test_a_failed_import_leaves_its_source_and_its_job_alone(tmp_path: Path) -> None:
    path = tmp_path / "made-up.jsonl"
    path.write_bytes(files.chatml(count=900) + b"\xff\xfe\n")

    with pytest.raises(CommandError, match=r"made-up.jsonl, row 901: .* Nothing was imported\."):
        run(path)

    assert (Source.objects.count(), ImportJob.objects.get().state) == (1, "failed")
    assert (Conversation.objects.count(), ImportReject.objects.count()) == (0, 0)


def test_an_existing_source_is_used_but_not_relicensed(chatml_file: Path) -> None:
    run(chatml_file, "--source", "Mine", "--license", "CC0")
    run(chatml_file, "--source", "Mine")

    assert list(ImportJob.objects.order_by("created_at").values_list("kept_count", flat=True)) == [5, 0]
    with pytest.raises(CommandError, match=r"already a source “Mine” with the licence CC0"):
        run(chatml_file, "--source", "Mine", "--license", "MIT")
