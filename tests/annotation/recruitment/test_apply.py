"""A stranger begins, saves, sends and confirms an application."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail as outbox
from django.test import Client
from django.urls import reverse

from annotation.models import Application, ApplicationEvent, Campaign, CurriculumVitae, MailKind
from annotation.recruitment import answers, services
from annotation.recruitment.facts import set_open
from annotation.recruitment.mail import send_waiting
from annotation.recruitment.stages import Stage
from prometheus_site.accounts.models import User
from prometheus_site.core.models import DataKey
from tests.annotation.recruitment.applying import (
    ANSWERS,
    Stranger,
    applied,
    cv,
    newest_link,
    signed_earlier,
)


def test_the_public_page_says_everything_without_a_login(campaign: Campaign) -> None:
    page = Client().get(reverse("annotation:join", args=[campaign.slug])).content.decode()
    for words in (
        "90 EUR an hour",
        "suicide, self-injury",
        "erased after 30 days",
        "at most two hours a day",
    ):
        assert words in page


def test_a_campaign_that_never_recruited_has_no_public_page(lead: User) -> None:
    from tests.annotation.worlds import make_campaign

    quiet = make_campaign(lead, [], samples=1, slug="quiet")
    assert Client().get(reverse("annotation:join", args=[quiet.slug])).status_code == 404
    assert Client().get(reverse("annotation:apply", args=[quiet.slug])).status_code == 404


def test_closed_recruiting_takes_nobody_and_keeps_who_is_under_way(campaign: Campaign, lead: User) -> None:
    under_way = Stranger(campaign).begin()
    set_open(campaign=campaign, is_open=False, changed_by=lead)
    late = Client().post(
        reverse("annotation:apply", args=[campaign.slug]),
        {"email": "l@example.org", "stamp": signed_earlier()},
    )
    assert late.url == reverse("annotation:join", args=[campaign.slug])  # type: ignore[attr-defined]
    assert Application.objects.count() == 1
    assert under_way.send().application.stage == Stage.UNCONFIRMED


def test_applying_ends_with_the_team_and_each_step_is_on_record(campaign: Campaign) -> None:
    application = applied(campaign).application
    assert application.stage == Stage.APPLIED
    moves = ApplicationEvent.objects.filter(application=application).order_by("number")
    assert [(event.from_stage, event.to_stage) for event in moves] == [
        ("started", "unconfirmed"),
        ("unconfirmed", "applied"),
    ]
    assert {event.moved_by for event in moves} == {None}
    written = answers.read(application)
    assert {name: written[name] for name in ANSWERS if name != "referral"} == {
        name: value for name, value in ANSWERS.items() if name != "referral"
    }
    assert written["email"] == "mara@example.org"


def test_nothing_personal_lies_in_the_clear(campaign: Campaign) -> None:
    application = applied(campaign).application
    row = Application.objects.filter(pk=application.pk).values().get()
    kept = repr(
        {name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()}
    )
    for secret in ("Mara", "mara@example.org", "PSY-20417", "Utrecht"):
        assert secret not in kept
    assert b"%PDF" not in bytes(CurriculumVitae.objects.get(application=application).sealed)


# --- Saves as it goes -------------------------------------------------------------------------------------
def test_a_draft_waits_behind_its_address_half_filled(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    response = mara.client.post(
        mara.page, {"action": "save", "draft_version": "0", "name": "Mara", "licence_expires_on": "soon"}
    )
    assert response["Location"] == mara.page
    page = mara.client.get(mara.page).content.decode()
    assert 'value="Mara"' in page
    assert 'value="soon"' in page  # wrong, and kept
    assert mara.application.stage == Stage.STARTED


def test_a_refused_form_is_saved_whole(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    assert mara.post("send", statement="").status_code == 422
    assert answers.read(mara.application)["experience"] == ANSWERS["experience"]


def test_a_script_saves_the_same_way(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    response = mara.post("autosave", name="Mara L.")
    assert response.json() == {"draft_version": 1}
    assert answers.read(mara.application)["name"] == "Mara L."


def test_two_tabs_do_not_overwrite_each_other(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    mara.post("save", statement="From the first tab.")
    response = mara.post("save", draft_version="0", statement="From the second tab.")
    page = response.content.decode()
    assert response.status_code == 409
    assert "From the first tab." in page
    assert "From the second tab." in page
    assert answers.read(mara.application)["statement"] == "From the first tab."
    assert mara.post("save", statement="From the second tab.").status_code == 302  # the person chose
    assert answers.read(mara.application)["statement"] == "From the second tab."


def test_sending_in_two_tabs_sends_once(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    version = str(mara.application.draft_version)
    mara.send()
    assert mara.post("send", draft_version=version).status_code == 302
    assert ApplicationEvent.objects.count() == 1
    assert mara.application.mails.count() == 1


def test_what_was_sent_does_not_change(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin().send()
    mara.post("save", name="Somebody Else", file=cv(b"%PDF-9 other %%EOF"))
    assert answers.read(mara.application)["name"] == ANSWERS["name"]


def test_a_form_that_nobody_sent_is_erased_with_its_key_after_30_days(campaign: Campaign) -> None:
    forgotten = Stranger(campaign).begin()
    scope = forgotten.application.key_scope
    with time_machine.travel(datetime.now(ZoneInfo("UTC")) + timedelta(days=31)):
        kept = Stranger(campaign, "new@example.org").begin()
        assert services.discard_abandoned_drafts() == 1
    assert list(Application.objects.all()) == [kept.application]
    assert DataKey.objects.get(scope=scope).wrapped is None
    assert forgotten.client.get(forgotten.page).status_code == 404


# --- Bad input --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("number", ["", "??", "PSY", "x" * 60, "<script>1</script>", "1"])
def test_a_malformed_licence_is_refused_in_a_sentence(campaign: Campaign, number: str) -> None:
    mara = Stranger(campaign).begin()
    response = mara.post("send", licence_number=number, file=cv())
    assert response.status_code == 422
    assert "This is not a licence number" in response.content.decode() or not number
    assert mara.application.stage == Stage.STARTED


@pytest.mark.parametrize("written", ["31.12.2030", "2030-02-30", "never", "9999-01-01"])
def test_a_malformed_expiry_is_refused_in_a_sentence(campaign: Campaign, written: str) -> None:
    page = Stranger(campaign).begin().post("send", licence_expires_on=written, file=cv()).content.decode()
    assert "such as 2027-12-31" in page or "Check the year" in page


def test_an_expired_licence_is_refused_in_a_sentence_and_nothing_is_lost(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    response = mara.post("send", licence_expires_on="2021-03-09", file=cv())
    assert response.status_code == 422
    assert "This licence expired on 9 March 2021." in response.content.decode()
    assert answers.read(mara.application)["name"] == ANSWERS["name"]
    assert CurriculumVitae.objects.filter(application=mara.application).exists()


@pytest.mark.parametrize(
    ("zone", "is_taken"),
    [
        ("Pacific/Auckland", False),
        ("UTC/nowhere", False),
        ("Europe/London", True),
        ("Pacific/Honolulu", True),
    ],
)
def test_the_last_day_of_a_licence_is_the_applicants_own_day(
    campaign: Campaign, zone: str, is_taken: bool
) -> None:
    # Noon in London on 15 January 2027 is one in the morning of the 16th in Auckland, at UTC+13.
    with time_machine.travel(datetime(2027, 1, 15, 12, tzinfo=ZoneInfo("UTC"))):
        response = (
            Stranger(campaign)
            .begin()
            .post("send", time_zone=zone, licence_expires_on=f"{date(2027, 1, 15)}", file=cv())
        )
    assert response.status_code == (302 if is_taken else 422)


# --- The same address twice -------------------------------------------------------------------------------
def test_a_second_application_looks_like_a_first_one(campaign: Campaign) -> None:
    applied(campaign, "known@example.org")
    pages = []
    for email in ("known@example.org", "new@example.org"):
        somebody = Stranger(campaign, email).begin()
        page = somebody.client.get(somebody.page).content.decode()
        page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)
        pages.append(page.replace(email, "").replace(somebody.page, ""))
    assert pages[0] == pages[1]


def test_a_second_application_is_kept_beside_the_first(campaign: Campaign) -> None:
    first = applied(campaign)
    second = Stranger(campaign, "MARA@example.org ").begin()
    second.post("save", statement="The newer words.")
    second.send()
    second.email = "mara@example.org"
    second.confirm()
    kept = second.application
    assert kept.duplicate_of == first.application
    assert answers.read(kept)["name"] == ANSWERS["name"]
    assert first.application.stage == Stage.APPLIED
    assert kept.mails.filter(kind=MailKind.AGAIN).count() == 1
    page = second.client.get(newest_link(second.email)).content.decode()
    assert "It stands at: Applied." in page


def test_who_withdrew_may_apply_again(campaign: Campaign) -> None:
    first = applied(campaign)
    first.client.post(f"{first.page}withdraw/")
    assert first.application.stage == Stage.WITHDRAWN
    second = applied(campaign)
    assert second.application.stage == Stage.APPLIED
    assert second.application.duplicate_of is None


# --- Confirming -------------------------------------------------------------------------------------------
def test_the_address_is_confirmed_by_the_mailed_link_only(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin().send()
    assert mara.client.post(f"{mara.page}confirm/").status_code == 404
    assert mara.application.stage == Stage.UNCONFIRMED
    link = newest_link(mara.email)
    for browser in (mara.client, Client()):
        assert "Confirm my address" in browser.get(link).content.decode()
    assert "Confirm my address" not in mara.client.get(mara.page).content.decode()
    assert mara.application.stage == Stage.UNCONFIRMED  # a mail scanner that opens it confirms nothing
    assert Client().post(f"{link}confirm/").status_code == 302
    assert mara.application.stage == Stage.APPLIED


def test_a_link_used_twice_works_twice_and_counts_once(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin().send()
    link = newest_link(mara.email)
    for _ in range(2):
        assert mara.client.post(f"{link}confirm/").status_code == 302
        assert mara.client.get(link).status_code == 200
    assert ApplicationEvent.objects.filter(to_stage=Stage.APPLIED).count() == 1
    send_waiting()
    assert len(outbox.outbox) == 2  # confirm, applied


def test_a_version_of_thousands_of_digits_is_none(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    assert mara.post("autosave", draft_version="9" * 5000).status_code == 409
    assert mara.application.draft_version == 0
