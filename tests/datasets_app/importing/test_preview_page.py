"""The preview: what a file would become, and how it is read."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from datasets_app.importing.preview import READ_BYTES
from datasets_app.importing.running import run_import
from datasets_app.models import Conversation, ImportJob, ImportState, Source, Upload
from datasets_app.withdrawal import withdraw_source
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent, Action
from prometheus_site.core.models import DataKey
from tests.datasets_app.importing import files

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
READING = {"format": "auto", "encoding": "", "client_labels": "", "therapist_labels": ""}


def page_of(stored: Upload) -> str:
    return reverse("data:preview", args=[stored.pk])


def table(user: User, *rows: tuple[str, ...], name: str = "talks.csv") -> Upload:
    return files.upload(user, b"", file=SimpleUploadedFile(name, files.table(*rows)))


def test_shows_the_first_conversations_and_what_is_turned_away(lead: User, client_for: SignedIn) -> None:
    stored = files.upload(lead, files.chatml(count=7) + b"{broken\n")

    page = client_for(lead).get(page_of(stored)).content.decode()

    assert "ChatML" in page
    assert page.count('<ol class="conversation"') == 5
    assert page.count(files.PHRASE) == 10
    assert "Broken json: 1" in page
    assert "<dd>8</dd>" in page
    assert Conversation.objects.count() == 0


def test_says_who_looked(lead: User, client_for: SignedIn) -> None:
    stored = files.upload(lead, files.chatml())

    client_for(lead).get(page_of(stored))

    event = AccessEvent.objects.get(object_type="upload")
    assert (event.actor, event.action, event.object_id) == (lead, Action.VIEWED, str(stored.pk))


def test_estimates_the_total_of_a_long_file(lead: User, client_for: SignedIn) -> None:
    stored = files.upload(lead, files.chatml(count=20_000))

    found = client_for(lead).get(page_of(stored)).context["preview"]

    assert not found.is_whole
    assert 15_000 < found.estimated_total < 25_000


def test_of_a_file_that_unpacks_to_much_the_first_part_is_read(lead: User, client_for: SignedIn) -> None:
    bomb = gzip.compress(files.chatml(count=3) + files.blank_lines(2 * READ_BYTES))
    stored = files.upload(lead, bomb + gzip.compress(files.chatml(count=9)))

    response = client_for(lead).get(page_of(stored))

    found = response.context["preview"]
    assert (found.kept, found.problem, found.is_whole) == (3, "", False)
    page = response.content.decode()
    assert "Only the first part of the file was read for this check" in page
    assert 'name="import"' in page


def test_of_a_file_without_a_record_in_its_first_part_the_page_says_so(
    lead: User, client_for: SignedIn
) -> None:
    stored = files.upload(lead, gzip.compress(files.blank_lines(2 * READ_BYTES)), format="chatml")

    response = client_for(lead).get(page_of(stored))

    assert response.status_code == 200
    assert "hold no whole record" in response.context["preview"].problem
    assert 'name="import"' not in response.content.decode()


def test_a_short_file_is_read_whole(lead: User, client_for: SignedIn) -> None:
    page = client_for(lead).get(page_of(files.upload(lead, files.chatml()))).content.decode()

    assert "first part" not in page


@pytest.fixture
def withdrawn(lead: User) -> Upload:
    """A file that waits to be checked, of a source that was withdrawn meanwhile."""
    stored = files.upload(lead, files.chatml())
    withdraw_source(name="Made up", because="consent was taken back")
    return stored


def test_a_withdrawn_file_says_why_it_cannot_be_read(
    lead: User, client_for: SignedIn, withdrawn: Upload
) -> None:
    response = client_for(lead).get(page_of(withdrawn))

    assert response.status_code == 200
    page = response.content.decode()
    assert "made-up.jsonl: the source was withdrawn; discard this file." in page
    assert 'name="import"' not in page
    assert "Discard the file" in page


def test_a_withdrawn_file_can_be_discarded_and_its_source_stays(
    lead: User, client_for: SignedIn, withdrawn: Upload
) -> None:
    response = client_for(lead).post(reverse("data:discard_upload", args=[withdrawn.pk]), follow=True)

    assert response.status_code == 200
    assert not Upload.objects.exists()
    assert Source.objects.get().withdrawn_at is not None


def test_a_withdrawn_file_that_was_sent_off_fails_and_can_be_tried_again_and_discarded(
    lead: User, client_for: SignedIn, withdrawn: Upload
) -> None:
    client = client_for(lead)
    job_page = client.post(page_of(withdrawn), READING | {"import": "1"})["Location"]
    job = withdrawn.job
    run_import(job.pk)

    assert "was withdrawn: import into another source" in client.get(job_page).content.decode()
    again = client.post(reverse("data:retry_import", args=[job.pk]), follow=True)
    assert "the source was withdrawn; discard this file" in again.content.decode()
    client.post(reverse("data:discard_upload", args=[withdrawn.pk]))
    assert not Upload.objects.exists()
    assert client.get(job_page).status_code == 200


def test_markup_is_shown_and_not_run(lead: User, client_for: SignedIn) -> None:
    stored = files.upload(lead, files.chatml_line("<script>alert(1)</script>"))

    page = client_for(lead).get(page_of(stored)).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


@pytest.mark.parametrize("content", [b"\x89 nothing anybody writes", b"\n\n", b'{"messages": "\xe9"}\n'])
def test_an_unreadable_file_says_why_and_offers_no_import(
    lead: User, client_for: SignedIn, content: bytes
) -> None:
    stored = files.upload(lead, content)

    response = client_for(lead).get(page_of(stored))

    assert response.status_code == 200
    assert response.context["preview"].problem
    page = response.content.decode()
    assert "notice-bad" in page
    assert 'name="import"' not in page
    assert "Discard the file" in page


def test_a_table_is_read_by_the_columns_that_are_chosen(lead: User, client_for: SignedIn) -> None:
    stored = table(lead, ("talk", "who", "said"), ("1", "client", "hello"), ("1", "mentor", "yes"))
    client = client_for(lead)
    first = client.get(page_of(stored))
    assert first.context["preview"].columns == ["talk", "who", "said"]
    assert "Say below which column holds what." in first.content.decode()
    assert 'name="import"' not in first.content.decode()

    columns = {"column_conversation": "talk", "column_speaker": "who", "column_text": "said"}
    chosen = READING | columns | {"therapist_labels": "mentor, guide"}
    assert client.post(page_of(stored), chosen).status_code == 302
    second = client.get(page_of(stored))

    assert second.context["preview"].kept == 1
    assert second.context["preview"].problem == ""
    assert stored.job.state == ImportState.PREVIEW
    job = ImportJob.objects.get()
    assert job.options == {
        "encoding": "",
        "columns": {"conversation": "talk", "speaker": "who", "text": "said"},
        "speakers": {"mentor": "assistant", "guide": "assistant"},
    }
    assert client.post(page_of(stored), chosen | {"import": "1"})["Location"] == reverse(
        "data:import", args=[job.pk]
    )


def test_columns_that_make_no_conversation_are_refused(lead: User, client_for: SignedIn) -> None:
    stored = table(lead, ("talk", "who", "said"), ("1", "client", "hello"))

    response = client_for(lead).post(page_of(stored), READING | {"column_text": "said"})

    assert response.status_code == 422
    assert "Choose the columns for conversation, speaker and text" in response.content.decode()


def test_a_first_line_of_text_is_not_taken_for_column_names(lead: User, client_for: SignedIn) -> None:
    stored = table(lead, ("client", f"{files.PHRASE} and then she came back to see whether it was"))

    found = client_for(lead).get(page_of(stored)).context["preview"]

    assert "add a line at the top that names each column" in found.problem
    assert found.columns == []


def test_a_changed_reading_is_shown_before_it_is_imported(lead: User, client_for: SignedIn) -> None:
    stored = files.upload(lead, files.chatml())
    changed = READING | {"encoding": "cp1252", "import": "1"}

    response = client_for(lead).post(page_of(stored), changed, follow=True)

    assert "You changed how the file is read" in response.content.decode()
    assert ImportJob.objects.get().state == ImportState.PREVIEW
    assert ImportJob.objects.get().options["encoding"] == "cp1252"


def test_import_queues_the_job_and_is_recorded(lead: User, client_for: SignedIn) -> None:
    stored = files.upload(lead, files.chatml())

    response = client_for(lead).post(page_of(stored), READING | {"import": "1"})

    job = ImportJob.objects.get()
    assert response["Location"] == reverse("data:import", args=[job.pk])
    assert job.state == ImportState.QUEUED
    event = AccessEvent.objects.get(object_type="import_job")
    assert (event.actor, event.action, event.object_id) == (lead, Action.CREATED, str(job.pk))


def test_a_second_press_of_import_changes_nothing(lead: User, client_for: SignedIn) -> None:
    stored = files.upload(lead, files.chatml())
    client = client_for(lead)
    client.post(page_of(stored), READING | {"import": "1"})

    again = client.post(page_of(stored), READING | {"import": "1"})

    assert again["Location"] == reverse("data:import", args=[stored.job.pk])
    assert ImportJob.objects.count() == 1
    assert AccessEvent.objects.filter(object_type="import_job").count() == 1


def test_one_import_at_a_time_into_a_source(lead: User, client_for: SignedIn) -> None:
    files.queued(lead, files.chatml())
    second = files.upload(lead, files.chatml(), source=Source.objects.get(), new_source="")

    response = client_for(lead).post(page_of(second), READING | {"import": "1"}, follow=True)

    assert "Another import into “Made up” is waiting or running" in response.content.decode()
    assert ImportJob.objects.get(upload=second).state == ImportState.PREVIEW


def test_discard_leaves_nothing(lead: User, client_for: SignedIn) -> None:
    before = files.row_counts()
    stored = files.upload(lead, files.chatml())

    response = client_for(lead).post(reverse("data:discard_upload", args=[stored.pk]))

    assert response["Location"] == reverse("data:sources")
    changed = {name for name, count in files.row_counts().items() if before[name] != count}
    assert changed <= {DataKey._meta.db_table, "django_session"}


def test_discard_spares_a_source_with_other_imports(lead: User, client_for: SignedIn) -> None:
    files.queued(lead, files.chatml())
    stored = files.upload(lead, files.chatml(), source=Source.objects.get(), new_source="")

    client_for(lead).post(reverse("data:discard_upload", args=[stored.pk]))

    assert Source.objects.count() == 1
    assert ImportJob.objects.count() == 1


def test_a_waiting_import_cannot_be_discarded(lead: User, client_for: SignedIn) -> None:
    job = files.queued(lead, files.chatml())

    response = client_for(lead).post(reverse("data:discard_upload", args=[job.upload_id]), follow=True)

    assert "waiting or running" in response.content.decode()
    assert Upload.objects.get().chunks.exists()


def test_an_unknown_upload_is_not_found(lead: User, client_for: SignedIn) -> None:
    unknown: dict[str, Any] = {"args": ["00000000-0000-4000-8000-000000000000"]}

    assert client_for(lead).get(reverse("data:preview", **unknown)).status_code == 404
    assert client_for(lead).post(reverse("data:discard_upload", **unknown)).status_code == 404
