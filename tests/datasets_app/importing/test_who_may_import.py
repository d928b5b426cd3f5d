"""Leads import; engineers see counts; for everybody else these pages do not exist."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from prometheus_site.accounts.models import User
from tests.datasets_app.importing import files

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
LEADS_ONLY = {"upload": "GET", "preview": "GET", "discard_upload": "POST", "retry_import": "POST"}
COUNTS = {"sources": "GET", "conversations": "GET", "import": "GET", "rejects": "GET"}
WRONG_METHODS = {
    "sources": ("POST", "PUT", "DELETE"),
    "conversations": ("POST", "PUT", "DELETE"),
    "import": ("POST", "PUT", "DELETE"),
    "rejects": ("POST", "PUT", "DELETE"),
    "upload": ("PUT", "DELETE"),
    "preview": ("PUT", "DELETE"),
    "discard_upload": ("GET", "PUT", "DELETE"),
    "retry_import": ("GET", "PUT", "DELETE"),
}


@pytest.fixture
def urls(lead: User) -> dict[str, str]:
    """Return the address of every data page, of a waiting import."""
    job = files.queued(lead, files.chatml())
    ids = {"preview": job.upload_id, "discard_upload": job.upload_id}
    plain = {"sources", "conversations", "upload"}
    return {
        name: reverse(f"data:{name}", args=[] if name in plain else [ids.get(name, job.pk)])
        for name in LEADS_ONLY | COUNTS
    }


@pytest.mark.parametrize("who", ["annotator", "adjudicator", "supervisor", "outsider"])
def test_others_find_nothing(
    urls: dict[str, str], who: str, client_for: SignedIn, request: pytest.FixtureRequest
) -> None:
    client = client_for(request.getfixturevalue(who))
    before = files.row_counts()

    answers = {
        name: client.generic(method, urls[name]).status_code for name, method in (LEADS_ONLY | COUNTS).items()
    }

    assert set(answers.values()) == {404}
    assert files.row_counts() == before


def test_an_engineer_sees_counts_and_no_texts(
    urls: dict[str, str], engineer: User, client_for: SignedIn
) -> None:
    client = client_for(engineer)

    assert {client.generic(method, urls[name]).status_code for name, method in COUNTS.items()} == {200}
    assert {client.generic(method, urls[name]).status_code for name, method in LEADS_ONLY.items()} == {404}


def test_who_is_not_signed_in_is_sent_to_the_login(urls: dict[str, str], client: Client) -> None:
    for name, method in (LEADS_ONLY | COUNTS).items():
        response = client.generic(method, urls[name])
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", WRONG_METHODS)
def test_other_methods_are_refused(urls: dict[str, str], name: str, lead: User, client_for: SignedIn) -> None:
    client = client_for(lead)

    answers = {client.generic(method, urls[name]).status_code for method in WRONG_METHODS[name]}

    assert answers == {405}
