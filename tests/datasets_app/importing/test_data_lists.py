"""Every count of the data pages is a link whose list reproduces it, and no list shows a text."""

import html
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from datasets_app.importing.running import run_import
from datasets_app.models import ImportJob, Source
from prometheus_site.accounts.models import User
from tests.datasets_app.importing import files

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
COUNT_LINK = re.compile(r'<a href="(?P<url>/data/(?:conversations|imports)/[^"]*)">(?P<count>\d+)</a>')


@pytest.fixture
def imported(lead: User) -> ImportJob:
    files_in = files.chatml(count=60) + b"{broken\n" * 2 + b"[]\n" * 3 + files.chatml(count=1)
    job = files.queued(lead, files_in)
    run_import(job.pk)
    again = files.queued(lead, files.chatml(count=61), source=Source.objects.get(), new_source="")
    run_import(again.pk)
    job.refresh_from_db()
    return job


def listed(client: Client, url: str) -> int:
    """Return the number of rows the list behind a link shows, all its pages together."""
    rows = 0
    separator = "&" if "?" in url else "?"
    for number in range(1, 10):
        page = client.get(f"{url}{separator}page={number}").context["page"]
        rows += len(page.object_list)
        if not page.has_next():
            break
    return rows


@pytest.mark.parametrize("who", ["lead", "engineer"])
def test_every_count_is_what_its_list_shows(
    imported: ImportJob, who: str, client_for: SignedIn, request: pytest.FixtureRequest
) -> None:
    client = client_for(request.getfixturevalue(who))
    links = []
    for page in (reverse("data:sources"), reverse("data:import", args=[imported.pk])):
        links += COUNT_LINK.findall(client.get(page).content.decode())
    lists = [(html.unescape(url), int(count)) for url, count in links if "rejects" in url or "?" in url]

    assert len(lists) >= 9
    assert {count for _, count in lists} >= {61, 60, 6, 1, 2, 3}
    for url, count in lists:
        assert (url, listed(client, url)) == (url, count)


def test_records_in_are_the_kept_and_the_rejected(
    imported: ImportJob, lead: User, client_for: SignedIn
) -> None:
    client = client_for(lead)
    kept = listed(client, f"{reverse('data:conversations')}?job={imported.pk}")
    rejected = listed(client, reverse("data:rejects", args=[imported.pk]))

    assert (imported.record_count, kept, rejected) == (66, 60, 6)


@pytest.mark.parametrize("who", ["lead", "engineer"])
def test_no_list_shows_a_text(
    imported: ImportJob, who: str, client_for: SignedIn, request: pytest.FixtureRequest
) -> None:
    client = client_for(request.getfixturevalue(who))
    for url in (
        reverse("data:sources"),
        reverse("data:conversations"),
        reverse("data:import", args=[imported.pk]),
        reverse("data:rejects", args=[imported.pk]),
    ):
        response = client.get(url)
        assert response.status_code == 200
        assert files.PHRASE not in response.content.decode()


def test_an_engineer_is_not_offered_an_import(engineer: User, client_for: SignedIn) -> None:
    page = client_for(engineer).get(reverse("data:sources")).content.decode()

    assert "No conversations yet" in page
    assert reverse("data:upload") not in page


@pytest.mark.parametrize("query", ["source=nonsense", "job=00000000-0000-4000-8000-000000000000", "source=1"])
def test_a_list_of_something_unknown_is_not_found(lead: User, client_for: SignedIn, query: str) -> None:
    assert client_for(lead).get(f"{reverse('data:conversations')}?{query}").status_code == 404


def test_more_sources_take_no_more_queries(lead: User, client_for: SignedIn) -> None:
    client = client_for(lead)
    client.get(reverse("data:sources"))
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("data:sources"))
    for number in range(5):
        run_import(files.queued(lead, files.chatml(), new_source=f"Source {number}").pk)
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("data:sources"))
    assert len(many) <= len(few) + 1  # the imports of all sources, once there is a source
