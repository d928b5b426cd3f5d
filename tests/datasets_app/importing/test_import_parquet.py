"""Parquet from the page: read piece by piece out of the sealed upload, mapped where it has to be."""

import io
import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from datasets_app.importing.running import run_import
from datasets_app.importing.uploads import CHUNK_BYTES
from datasets_app.models import Conversation, ImportJob, ImportState, Upload
from datasets_app.texts import read_turns
from prometheus_site.accounts.models import User
from tests.datasets_app.importing import files

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


def stored(user: User, columns: dict[str, Any]) -> Upload:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="none", row_group_size=300)
    return files.upload(user, b"", file=SimpleUploadedFile("talks.parquet", sink.getvalue()))


def talks(count: int) -> dict[str, Any]:
    """Columns that take more than one piece of an upload."""
    chance = random.Random(7)  # noqa: S311 -- made-up text
    said = [f"{number} {chance.randbytes(800).hex()}" for number in range(count)]
    return {"question": said, "answer": [f"You say {text}" for text in said]}


def queue(upload: Upload, **options: Any) -> ImportJob:
    ImportJob.objects.filter(upload=upload).update(state=ImportState.QUEUED, options=options)
    return ImportJob.objects.get(upload=upload)


def test_every_row_is_imported_out_of_many_pieces(lead: User) -> None:
    columns = talks(1_000)
    upload = stored(lead, columns)
    assert upload.size_bytes > 3 * CHUNK_BYTES

    run_import(queue(upload, columns={"prompt": "question", "response": "answer"}).pk)

    job = ImportJob.objects.get()
    assert (job.problem, job.format, job.kept_count) == ("", "parquet", 1_000)
    last = Conversation.objects.select_related("text__data_key").get(row=1_000)
    assert [turn.content for turn in read_turns(last)] == [columns[name][-1] for name in columns]


def test_a_piece_that_is_missing_is_said_and_not_called_a_damaged_file(lead: User) -> None:
    upload = stored(lead, talks(1_000))
    job = queue(upload, columns={"prompt": "question", "response": "answer"})
    upload.chunks.get(number=1).delete()

    run_import(job.pk)

    job.refresh_from_db()
    assert (job.state, Conversation.objects.count()) == (ImportState.FAILED, 0)
    assert "the stored upload is not complete any more" in job.problem


def test_the_page_asks_for_columns_it_does_not_know_and_counts_all_rows(
    lead: User, client_for: SignedIn
) -> None:
    upload = stored(lead, talks(1_000))
    page = reverse("data:preview", args=[upload.pk])

    asked = client_for(lead).get(page)
    assert (asked.context["preview"].needs_columns, asked.context["preview"].problem) == (True, "")
    choices = {"column_prompt": "question", "column_response": "answer"}
    sent = {"format": "auto", "encoding": "", "client_labels": "", "therapist_labels": "", **choices}
    client_for(lead).post(page, sent)

    found = client_for(lead).get(page).context["preview"]
    assert (found.format, found.kept, found.problem) == ("parquet", 500, "")
    assert found.estimated_total == 1_000


def test_the_page_reads_messages_at_once_and_refuses_what_holds_none(
    lead: User, client_for: SignedIn
) -> None:
    messages = [{"role": "user", "content": files.PHRASE}]
    good = stored(lead, {"messages": [messages]})
    page = client_for(lead).get(reverse("data:preview", args=[good.pk])).content.decode()
    assert files.PHRASE in page
    assert "<dd>Parquet</dd>" in page
    content = io.BytesIO()
    pq.write_table(pa.table({"height": [1.0]}), content)
    bad = files.upload(
        lead, b"", file=SimpleUploadedFile("other.parquet", content.getvalue()), new_source="Other"
    )
    page = client_for(lead).get(reverse("data:preview", args=[bad.pk])).content.decode()
    assert "none of the columns height holds conversations" in page
