"""What a link opens, for whom, and what it never shows or leaves behind."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Application, ApplicationLink, Campaign, MailKind
from annotation.recruitment import links
from annotation.recruitment.stages import Stage
from prometheus_site.accounts.models import User
from tests.annotation.recruitment.applying import ANSWERS, Stranger, applied, cv, newest_link
from tests.annotation.worlds import join

PERSONAL = (
    "Mara",
    "mara@example.org",
    "PSY-20417",
    "Netherlands",
    ANSWERS["statement"],
    ANSWERS["experience"],
)


def shows_nothing_personal(page: str) -> bool:
    return not any(secret in page for secret in PERSONAL)


def test_another_person_with_the_link_sees_the_stage_and_nothing_else(campaign: Campaign) -> None:
    mara = applied(campaign)
    for link in (mara.page, newest_link(mara.email)):
        page = Client().get(link).content.decode()
        assert "It stands at: Applied." in page
        assert shows_nothing_personal(page)


def test_another_person_with_the_link_of_a_draft_neither_reads_nor_writes_it(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    mara.post("save")
    other = Client()
    assert shows_nothing_personal(other.get(mara.page).content.decode())
    response = other.post(mara.page, ANSWERS | {"action": "send", "draft_version": "1", "name": "Eveline"})
    assert response.status_code == 403
    assert "Eveline" not in mara.client.get(mara.page).content.decode()


def test_the_owner_opens_it_on_another_computer_with_the_address(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    mara.post("save")
    elsewhere = Client()
    assert elsewhere.post(f"{mara.page}open/", {"email": "eve@example.org"}).status_code == 422
    assert shows_nothing_personal(elsewhere.get(mara.page).content.decode())
    assert elsewhere.post(f"{mara.page}open/", {"email": " Mara@Example.org"}).status_code == 302
    assert 'value="Mara Licht"' in elsewhere.get(mara.page).content.decode()


def test_guessing_the_address_is_cut_short(campaign: Campaign) -> None:
    mara = applied(campaign)
    guesses = [
        Client().post(f"{mara.page}open/", {"email": f"guess{number}@example.org"}).status_code
        for number in range(14)
    ]
    assert guesses[-1] == 429


@pytest.mark.parametrize("deed", ["withdraw", "quiz/start", "quiz/finish"])
def test_another_person_with_the_link_changes_nothing(campaign: Campaign, lead: User, deed: str) -> None:
    mara = applied(campaign).moved(Stage.SCREENING, lead)
    assert Client().post(f"{mara.page}{deed}/").status_code == 404
    assert Client().get(f"{mara.page}quiz/").status_code == 404
    assert mara.application.stage == Stage.SCREENING
    assert mara.application.attempts.count() == 0


def test_a_link_that_was_taken_back_opens_nothing(
    campaign: Campaign, lead: User, client_for: Callable[[User], Client]
) -> None:
    mara = applied(campaign)
    mailed = newest_link(mara.email)
    address = reverse("annotation:revoke_application_links", args=[campaign.slug, mara.application.pk])
    application = mara.application
    client_for(lead).post(address)
    for page in (mara.page, mailed):
        response = mara.client.get(page)
        assert response.status_code == 410
        assert shows_nothing_personal(response.content.decode())
        assert mara.client.post(f"{page}confirm/").status_code == 410
    fresh = links.issue(application, proves_address=True)
    assert mara.client.get(reverse("annotation:application", args=[fresh])).status_code == 200


def test_a_link_that_never_was_is_not_found(campaign: Campaign) -> None:
    assert Client().get("/application/nothing/").status_code == 404


def test_the_token_is_stored_nowhere_and_reaches_no_log_or_referer(
    campaign: Campaign, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    mara = applied(campaign)
    token = mara.page.split("/")[2]
    response = mara.client.get(mara.page)
    assert response["Referrer-Policy"] == "strict-origin"
    assert "no-store" in response["Cache-Control"]
    assert token not in caplog.text + capfd.readouterr().err
    assert all(token not in str(row) for row in ApplicationLink.objects.values_list())
    assert all(token not in str(row) for row in Application.objects.values_list())


def test_who_applies_in_anothers_name_never_reaches_that_persons_application(
    campaign: Campaign, lead: User
) -> None:
    mara = applied(campaign).moved(Stage.SCREENING, lead)
    eve = Stranger(campaign, mara.email).begin()
    eve.post("send", file=cv(), name="Eveline")
    eve.confirm()  # Mara pressed the button in the message
    assert eve.application.duplicate_of == mara.application
    page = eve.client.get(eve.page).content.decode()
    assert "quiz" not in page.lower()
    assert "It stands at" not in page
    eve.client.post(f"{eve.page}quiz/start/")
    eve.client.post(f"{eve.page}withdraw/")
    assert mara.application.stage == Stage.SCREENING
    assert mara.application.attempts.count() == 0
    again = newest_link(mara.email)  # and the message leads Mara to her own
    mara.client.post(f"{again}open/", {"email": mara.email})
    assert "To the quiz" in mara.client.get(again).content.decode()


def test_withdrawing_tells_nobody_that_somebody_else_applied(campaign: Campaign) -> None:
    mara = applied(campaign)
    eve = Stranger(campaign, mara.email, Client(REMOTE_ADDR="203.0.113.9")).begin().send().confirm()
    other = Stranger(campaign, "new@example.org", Client(REMOTE_ADDR="203.0.113.9")).begin().send()
    told = []
    for one in (eve, other):
        page = one.client.post(f"{one.page}withdraw/", follow=True).content.decode()
        told.append(page[page.index("<main") :].replace(one.email, ""))
        assert one.application.stage == Stage.WITHDRAWN
    assert "Your application is withdrawn" in told[0]
    assert "It was withdrawn" in told[0]
    assert "another application" not in told[0]
    assert mara.application.stage == Stage.APPLIED
    assert not eve.application.mails.filter(kind=MailKind.WITHDRAWN).exists()


def test_withdrawing_in_the_name_of_a_member_takes_nobody_out(campaign: Campaign, annotator: User) -> None:
    join(campaign, annotator)
    eve = Stranger(campaign, annotator.email).begin().send()
    eve.client.post(f"{eve.page}withdraw/")
    assert eve.application.stage == Stage.WITHDRAWN
    assert campaign.members.filter(user=annotator, left_at__isnull=True).exists()
