"""Contacts for support: in the reader's language, the lead's before the shipped."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import SupportContacts
from annotation.wellbeing.support import FALLBACK, contacts_for, set_contacts, shipped
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent
from tests.annotation.worlds import make_campaign

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]
PAGE = "/support/contacts/"


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("en-GB,en;q=0.9", "en-gb"),
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("xx", FALLBACK),
        ("", FALLBACK),
        ("xx,fr;q=0.3", "fr"),
        ("it;q=0.2,es;q=0.9", "es"),
        ("not a language;;;q=", FALLBACK),
        ("*", FALLBACK),
    ],
)
def test_the_first_language_that_has_contacts_is_shown(asked: str, language: str) -> None:
    found = contacts_for(asked)
    assert found.language == language
    assert found.lines == shipped()[language]


def test_every_shipped_language_has_an_emergency_number_or_a_directory() -> None:
    assert all(len(lines) >= 2 for lines in shipped().values())


def test_what_a_lead_wrote_comes_first_and_may_be_taken_back(lead: User) -> None:
    set_contacts(language="de", lines="Supervision: 030 1234\n\n", changed_by=lead)
    assert contacts_for("de-AT").lines == ["Supervision: 030 1234"]
    set_contacts(language="de", lines=" ", changed_by=lead)
    assert contacts_for("de-AT").lines == shipped()["de"]
    assert AccessEvent.objects.filter(object_type="support_contacts", object_id="de").count() == 2


class TestPage:
    def test_works(self, lead: User, client_for: ClientFor) -> None:
        client = client_for(lead)
        response = client.post(PAGE, {"language": "nl", "lines": "113: 0800-0113"})
        assert response.status_code == 302
        assert "113: 0800-0113" in client.get(PAGE).content.decode()

    def test_wrong_role(self, annotator: User, client_for: ClientFor) -> None:
        assert client_for(annotator).post(PAGE, {"language": "nl", "lines": "x"}).status_code == 404
        assert not SupportContacts.objects.exists()

    @pytest.mark.parametrize("language", ["", "English", "en_GB", "e", "en-gb-x-too-long"])
    def test_bad_input(self, lead: User, client_for: ClientFor, language: str) -> None:
        assert client_for(lead).post(PAGE, {"language": language, "lines": "x"}).status_code == 422
        assert not SupportContacts.objects.exists()


def test_they_stand_where_people_read(lead: User, annotator: User, client_for: ClientFor) -> None:
    campaign = make_campaign(lead, [annotator])
    set_contacts(language="it", lines="Supervisione: 06 1234", changed_by=lead)
    client = client_for(annotator)
    for address in (reverse("annotation:workbench", args=[campaign.slug]), reverse("support")):
        page = client.get(address, headers={"Accept-Language": "it-IT"}).content.decode()
        assert "Supervisione: 06 1234" in page
        assert 'lang="it"' in page
