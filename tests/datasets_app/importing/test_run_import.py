"""An import keeps all of a file or nothing, and accounts for every record."""

import gzip
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection

from datasets_app.importing import running
from datasets_app.importing.intake import Intake
from datasets_app.importing.running import IMPORT_LOCK, import_file, run_import
from datasets_app.importing.selectors import reject_counts
from datasets_app.models import Conversation, ImportJob, ImportReject, ImportState, Source, UploadChunk
from datasets_app.sources.records import Dialogue, Reject
from datasets_app.withdrawal import SourceWithdrawnError, withdraw_source
from prometheus_site.accounts.models import User
from prometheus_site.core.models import DataKey
from tests.datasets_app.importing import files

pytestmark = pytest.mark.django_db
NO_CLIENT = b'{"messages": [{"role": "nobody", "content": "x"}]}\n'


def test_keeps_conversations_and_lists_rejects(lead: User) -> None:
    job = files.queued(lead, files.chatml(count=3) + b"{broken\n" + NO_CLIENT)

    run_import(job.pk)

    job.refresh_from_db()
    assert (job.state, job.format, job.problem) == (ImportState.DONE, "chatml", "")
    assert (job.record_count, job.kept_count, job.rejected_count) == (5, 3, 2)
    found = ImportReject.objects.filter(job=job).order_by("row")
    assert [(reject.row, reject.reason) for reject in found] == [(4, "broken_json"), (5, "unknown_speaker")]
    assert all(reject.remedy for reject in found)
    assert job.started_at is not None
    assert job.finished_at is not None


def test_states_the_facts_of_a_conversation(lead: User) -> None:
    job = files.queued(lead, files.chatml_line("one two three"))

    run_import(job.pk)

    kept = Conversation.objects.get()
    assert (kept.source_id, kept.import_job_id, kept.row) == (job.source_id, job.pk, 1)
    assert (kept.turn_count, kept.word_count) == (2, 8)
    assert (kept.has_client_turn, kept.has_assistant_turn) == (True, True)


def test_nothing_lies_open_and_the_upload_is_gone(lead: User) -> None:
    run_import(files.queued(lead, files.chatml(count=20)).pk)

    assert Conversation.objects.count() == 20
    assert UploadChunk.objects.count() == 0
    assert files.tables_with(files.PHRASE) == []


def test_counts_add_up_over_many_batches(lead: User) -> None:
    line = files.chatml_line("the same again")
    job = files.queued(lead, files.chatml(count=1203) + line * 3 + b"[]\n" * 700)

    run_import(job.pk)

    job.refresh_from_db()
    assert (job.record_count, job.kept_count) == (1906, 1204)
    assert job.kept_count == Conversation.objects.filter(import_job=job).count()
    assert job.rejected_count == ImportReject.objects.filter(job=job).count()
    assert {reason.reason: reason.count for reason in reject_counts(job)} == {
        "not_an_object": 700,
        "duplicate": 2,
    }


def test_repeats_of_an_earlier_import_are_duplicates_within_their_source_only(lead: User) -> None:
    run_import(files.queued(lead, files.chatml(count=3)).pk)
    same = files.queued(lead, files.chatml(count=4), source=Source.objects.get(), new_source="")
    other = files.queued(lead, files.chatml(count=3), new_source="Another")

    run_import(same.pk)
    run_import(other.pk)

    same.refresh_from_db()
    other.refresh_from_db()
    assert (same.record_count, same.kept_count) == (4, 1)
    assert {reason.reason: reason.count for reason in reject_counts(same)} == {"duplicate": 3}
    assert (other.record_count, other.kept_count) == (3, 3)


def test_a_text_mapped_as_the_key_is_not_stored_in_clear(lead: User) -> None:
    rows = [("who", "said"), *(("client", f"{files.PHRASE} {number}") for number in range(3))]
    stored = files.upload(lead, files.table(*rows), format="delimited")
    columns = {"conversation": "said", "speaker": "who", "text": "said", "topic": "said"}
    ImportJob.objects.filter(pk=stored.job.pk).update(options={"columns": columns}, state=ImportState.QUEUED)

    run_import(stored.job.pk)

    stored_in_clear = set(Conversation.objects.values_list("source_key", "topic"))
    assert stored_in_clear == {("row 2", ""), ("row 3", ""), ("row 4", "")}


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("S-0012/a.b:c", "S-0012/a.b:c"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "row 2"),
        ("she came back", "row 2"),
        ("我昨晚又没有睡好觉", "row 2"),
        ("昨日の夜は眠れませんでした", "row 2"),
        ("patiënt", "row 2"),
    ],
)
def test_only_what_looks_like_a_key_is_stored_as_one(lead: User, key: str, kept: str) -> None:
    assert _read_by_columns(lead, key=key).source_key == kept


@pytest.mark.parametrize(
    ("topic", "kept"),
    [
        ("grief and loss", "grief and loss"),
        ("悲伤与失", "悲伤与失"),
        ("she came back to me", ""),
        ("我昨晚又没有睡好觉", ""),
        ("a" * 40, "a" * 40),
        ("a" * 41, ""),
    ],
)
def test_only_a_short_topic_is_stored(lead: User, topic: str, kept: str) -> None:
    assert _read_by_columns(lead, topic=topic).topic == kept


def _read_by_columns(user: User, *, key: str = "1", topic: str = "sleep") -> Conversation:
    content = files.table(("key", "who", "said", "about"), (key, "client", "Hello", topic))
    stored = files.upload(user, content, format="delimited")
    columns = {"conversation": "key", "speaker": "who", "text": "said", "topic": "about"}
    ImportJob.objects.filter(pk=stored.job.pk).update(options={"columns": columns}, state=ImportState.QUEUED)
    run_import(stored.job.pk)
    return Conversation.objects.get()


def _latin() -> bytes:
    return '{"messages": [{"role": "user", "content": "caf\xe9"}]}\n'.encode("latin-1")


BAD_FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "truncated gzip": (lambda: gzip.compress(files.chatml(count=900))[:-20], "copy or download it again"),
    "damaged gzip": (
        lambda: gzip.compress(files.chatml())[:15] + b"\0" * 40,
        "copy or download the file again",
    ),
    "wrong encoding": (lambda: files.chatml(count=700) + _latin(), "line 701"),
    "only blank lines": (lambda: b"\n \n\n", "the file is empty"),
    "truncated array": (lambda: b'[{"messages": [{"role": "user", "content": "x"}]}', "ends in the middle"),
    "unknown format": (lambda: b"\x89\x01\x02 nothing anybody writes", "not recognised"),
    "a workbook": (lambda: b"PK\x03\x04" + b"\0" * 100, "export it as CSV, JSON or plain text"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_leaves_nothing_but_a_sentence(lead: User, kind: str) -> None:
    make, sentence = BAD_FILES[kind]
    job = files.queued(lead, make())
    before = files.row_counts()

    run_import(job.pk)

    job.refresh_from_db()
    assert job.state == ImportState.FAILED
    assert sentence in job.problem
    assert job.problem.startswith("made-up.jsonl")
    assert (job.record_count, job.kept_count) == (0, 0)
    assert files.row_counts() == before
    assert files.tables_with(files.PHRASE) == []


def test_a_table_without_the_mapped_column_says_which(lead: User) -> None:
    content = files.table(("id", "who", "utterance"), ("1", "client", "x"))
    job = files.queued(lead, content, file=SimpleUploadedFile("talks.csv", content))
    columns = {"conversation": "id", "speaker": "who", "text": "said"}
    ImportJob.objects.filter(pk=job.pk).update(options={"columns": columns})

    run_import(job.pk)

    job.refresh_from_db()
    assert job.state == ImportState.FAILED
    assert "talks.csv, row 1, field said: the header lacks the column" in job.problem


def test_a_turn_of_ten_megabytes_is_turned_away_alone(lead: User) -> None:
    job = files.queued(lead, files.chatml_line("x" * 10_000_000) + files.chatml(count=2))

    run_import(job.pk)

    job.refresh_from_db()
    assert (job.state, job.record_count, job.kept_count) == (ImportState.DONE, 3, 2)
    assert [reason.reason for reason in reject_counts(job)] == ["turn_too_long"]


def test_an_error_of_ours_is_named_and_quotes_nothing(lead: User) -> None:
    job = files.queued(lead, files.chatml())
    UploadChunk.objects.update(ciphertext=b"x" * 40)
    before = files.row_counts()

    run_import(job.pk)

    job.refresh_from_db()
    assert job.state == ImportState.FAILED
    assert "stopped with InvalidTag" in job.problem
    assert str(job.pk) in job.problem
    assert files.row_counts() == before


def test_a_withdrawn_source_gets_nothing_and_no_new_key(lead: User) -> None:
    job = files.queued(lead, files.chatml())
    Source.objects.update(withdrawn_at="2026-01-01T00:00:00Z")
    before = files.row_counts()

    run_import(job.pk)

    job.refresh_from_db()
    assert job.problem == "“Made up” was withdrawn: import into another source."
    assert files.row_counts() == before


def test_a_source_that_was_withdrawn_meanwhile_gets_nothing_and_no_new_key(tmp_path: Path) -> None:
    path = tmp_path / "made-up.jsonl"
    path.write_bytes(files.chatml())
    source = files.new_source()
    withdraw_source(name=source.name, because="consent was taken back")

    job = import_file(path=path, source=source, format="auto", options={})

    assert (job.state, job.problem) == ("failed", "“Made up” was withdrawn: import into another source.")
    assert not DataKey.objects.filter(scope=source.key_scope).exists()
    with pytest.raises(CommandError, match="“Made up” was withdrawn"):
        call_command("import_conversations", str(path), "--source", "Made up")


def test_nothing_is_uploaded_into_a_source_that_was_withdrawn_meanwhile(lead: User) -> None:
    source = files.new_source()
    withdraw_source(name=source.name, because="consent was taken back")

    with pytest.raises(SourceWithdrawnError):
        files.upload(lead, files.chatml(), source=source, new_source="")

    assert not DataKey.objects.filter(scope=source.key_scope).exists()


def test_a_file_that_unpacks_to_too_much_fails_on_the_page_and_not_in_the_command(
    lead: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PAGE_PLAIN_BYTES", 1024 * 1024)
    content = gzip.compress(files.chatml(count=900) + files.blank_lines(2 * 1024 * 1024))
    job = files.queued(lead, content)
    before = files.row_counts()

    run_import(job.pk)

    job.refresh_from_db()
    assert job.state == ImportState.FAILED
    assert "made-up.jsonl: the file unpacks to more than 1 MB" in job.problem
    assert files.row_counts() == before

    path = tmp_path / "made-up.jsonl.gz"
    path.write_bytes(content)
    assert import_file(path=path, source=job.source, format="auto", options={}).kept_count == 900


@pytest.mark.parametrize("state", [ImportState.PREVIEW, ImportState.DONE, ImportState.FAILED])
def test_only_a_waiting_import_runs(lead: User, state: ImportState) -> None:
    job = files.queued(lead, files.chatml())
    ImportJob.objects.update(state=state, problem="x")

    run_import(job.pk)

    job.refresh_from_db()
    assert job.state == state
    assert Conversation.objects.count() == 0


def test_an_import_that_another_worker_has_is_left_alone(lead: User) -> None:
    job = files.queued(lead, files.chatml())
    ours = connection.get_connection_params()
    login = {key: ours[key] for key in ("host", "port", "user", "password", "dbname")}
    with psycopg.connect(**login) as other:
        other.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", [IMPORT_LOCK, str(job.pk)])
        run_import(job.pk)
        job.refresh_from_db()
        assert job.state == ImportState.QUEUED
        other.execute("SELECT pg_advisory_unlock_all()")

    run_import(job.pk)

    job.refresh_from_db()
    assert job.state == ImportState.DONE


def test_a_file_that_vanishes_while_it_is_imported_leaves_nothing_but_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "made-up.jsonl"
    path.write_bytes(files.chatml(count=2_000))
    take = Intake.take

    def take_and_remove(intake: Intake, record: Dialogue | Reject) -> None:
        path.unlink(missing_ok=True)
        take(intake, record)

    monkeypatch.setattr(Intake, "take", take_and_remove)
    job = import_file(path=path, source=files.new_source(), format="auto", options={})

    assert job.state == ImportState.FAILED
    assert job.problem.startswith("made-up.jsonl: the source vanished while it was read; put it back")
    assert not Conversation.objects.exists()
