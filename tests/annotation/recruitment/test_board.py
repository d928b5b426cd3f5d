"""The lead's board: who is where, moves with who and why, targets with what was reached."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import ApplicationEvent, Campaign, CurriculumVitae, Recruitment
from annotation.recruitment import answers, services
from annotation.recruitment.selectors import columns_of, history_of, targets_of
from annotation.recruitment.stages import ASIDE, ENDED, WAY, Stage, moves_from
from annotation.recruitment.targets import applicants, days_to_hire, pass_rate
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent
from prometheus_site.core.sealing import TextErasedError
from tests import people
from tests.annotation.recruitment.applying import Stranger, applied, newest_link, recruit
from tests.annotation.worlds import make_campaign

ClientFor = Callable[[User], Client]


# --- Which moves there are --------------------------------------------------------------------------------
def test_the_way_is_walked_one_step_at_a_time() -> None:
    for place, stage in enumerate(WAY[:-1]):
        onward = [to for to in moves_from(stage) if to in WAY]
        assert onward == [WAY[place + 1]]
    assert moves_from(Stage.ACTIVE) == (Stage.PAUSED, Stage.LEFT)


def test_aside_leads_back_to_where_it_was_and_nowhere_else() -> None:
    for stage in ENDED:
        assert moves_from(stage, Stage.OFFERED) == (Stage.OFFERED,)
    assert set(moves_from(Stage.PAUSED, Stage.OFFERED)) == {Stage.OFFERED, Stage.DECLINED, Stage.WITHDRAWN}
    assert set(moves_from(Stage.PAUSED, Stage.ACTIVE)) == {Stage.ACTIVE, Stage.LEFT}


@pytest.mark.parametrize("to", [stage for stage in Stage if stage not in moves_from(Stage.APPLIED)])
def test_a_move_that_is_not_allowed_changes_nothing(campaign: Campaign, lead: User, to: Stage) -> None:
    application = applied(campaign).application
    with pytest.raises(services.MoveRefusedError):
        services.move(application, to, lead, "in a hurry")
    application.refresh_from_db()
    assert application.stage == Stage.APPLIED
    assert application.events.count() == 2


def test_every_move_says_who_and_why(campaign: Campaign, lead: User) -> None:
    mara = applied(campaign)
    for stage in (*WAY[1:], Stage.PAUSED, Stage.ACTIVE, Stage.LEFT):
        mara.moved(stage, lead)
    history = history_of(mara.application)
    assert len(history) == 2 + len(WAY) - 1 + 3
    assert {(one.event.moved_by, one.why) for one in history[2:]} == {(lead, "It fits.")}
    assert [one.event.number for one in history] == list(range(1, len(history) + 1))


def test_paused_from_an_end_returns_to_the_stage_before(campaign: Campaign, lead: User) -> None:
    mara = (
        applied(campaign).moved(Stage.SCREENING, lead).moved(Stage.PAUSED, lead).moved(Stage.DECLINED, lead)
    )
    assert mara.moved(Stage.SCREENING, lead).application.stage == Stage.SCREENING
    assert mara.application.came_from == ""


def test_two_leads_who_move_at_once_do_not_overtake_each_other(campaign: Campaign, lead: User) -> None:
    seen = applied(campaign).application
    other = people.make("other-lead", Role.LEAD)
    services.move(applied(campaign, "other@example.org").application, Stage.SCREENING, other, "fits")
    first, second = type(seen).objects.get(pk=seen.pk), type(seen).objects.get(pk=seen.pk)
    services.move(first, Stage.SCREENING, lead, "fits")
    with pytest.raises(services.MoveRefusedError, match="in the meantime"):
        services.move(second, Stage.DECLINED, other, "does not fit")
    assert seen.events.count() == 3


def test_one_that_ended_does_not_come_back_beside_a_newer_one(campaign: Campaign, lead: User) -> None:
    old = applied(campaign).moved(Stage.DECLINED, lead).application
    applied(campaign)
    with pytest.raises(services.MoveRefusedError, match="applied again since"):
        services.move(old, Stage.APPLIED, lead, "after all")
    old.refresh_from_db()
    assert old.stage == Stage.DECLINED
    assert old.events.count() == 3


# --- The pages --------------------------------------------------------------------------------------------
def test_the_board_counts_every_stage_and_lists_who_is_there(
    campaign: Campaign, lead: User, client_for: ClientFor
) -> None:
    applied(campaign).moved(Stage.SCREENING, lead)
    applied(campaign, "other@example.org")
    Stranger(campaign, "draft@example.org").begin()
    counts = {column.stage: column.count for column in columns_of(campaign) if column.count}
    assert counts == {Stage.APPLIED: 1, Stage.SCREENING: 1}
    client = client_for(lead)
    everybody = client.get(reverse("annotation:recruiting", args=[campaign.slug])).content.decode()
    assert everybody.count("Mara Licht") == 2
    one = client.get(reverse("annotation:recruiting", args=[campaign.slug]), {"stage": "screening"})
    assert one.content.decode().count("Mara Licht") == 1
    assert AccessEvent.objects.filter(actor=lead, object_type="application", action="listed").count() == 2


def test_the_board_asks_as_much_for_many_as_for_few(
    campaign: Campaign, lead: User, client_for: ClientFor
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, address = client_for(lead), reverse("annotation:recruiting", args=[campaign.slug])
    applied(campaign)
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(address)
    for number in range(5):
        applied(campaign, f"person{number}@example.org")
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few)


def test_a_lead_moves_one_with_a_reason(campaign: Campaign, lead: User, client_for: ClientFor) -> None:
    application = applied(campaign).application
    address = reverse("annotation:move_applicant", args=[campaign.slug, application.pk])
    client = client_for(lead)
    without = client.post(address, {"seen_in": "applied", "to": "screening", "why": " "})
    assert without.status_code == 422
    client.post(address, {"seen_in": "applied", "to": "screening", "why": "Nine years of crisis work."})
    application.refresh_from_db()
    assert application.stage == Stage.SCREENING
    stale = client.post(address, {"seen_in": "applied", "to": "declined", "why": "Old tab."}, follow=True)
    assert "in the meantime" in stale.content.decode()
    assert application.events.count() == 3


def test_a_lead_of_another_campaign_finds_nothing(campaign: Campaign, client_for: ClientFor) -> None:
    application = applied(campaign).application
    other = people.make("other-lead", Role.LEAD)
    foreign = make_campaign(other, [], samples=1, slug="foreign")
    recruit(foreign, other)
    for slug in (campaign.slug, foreign.slug):
        for name in ("applicant", "download_cv"):
            address = reverse(f"annotation:{name}", args=[slug, application.pk])
            assert client_for(other).get(address).status_code == 404
    move = reverse("annotation:move_applicant", args=[foreign.slug, application.pk])
    assert (
        client_for(other).post(move, {"seen_in": "applied", "to": "declined", "why": "x"}).status_code == 404
    )


def test_reading_an_application_is_on_record(campaign: Campaign, lead: User, client_for: ClientFor) -> None:
    application = applied(campaign).application
    page = client_for(lead).get(reverse("annotation:applicant", args=[campaign.slug, application.pk]))
    assert "PSY-20417" in page.content.decode()
    assert AccessEvent.objects.filter(
        actor=lead, action="viewed", object_type="application", object_id=str(application.pk)
    ).exists()


def test_recruiting_opens_only_when_the_page_says_the_pay(lead: User, client_for: ClientFor) -> None:
    campaign = make_campaign(lead, [], samples=1)
    client = client_for(lead)
    change = reverse("annotation:change_recruiting", args=[campaign.slug])
    assert client.post(change, {"state": "open"}).url.endswith("/facts/")  # type: ignore[attr-defined]
    facts = reverse("annotation:recruiting_facts", args=[campaign.slug])
    texts = dict.fromkeys(("what", "why", "hours", "content_warning", "data_promise"), "Words.")
    assert client.post(facts, texts).status_code == 422
    assert not Recruitment.objects.exists()
    assert client.post(facts, texts | {"pay": "90 EUR", "target_applicants": "20"}).status_code == 302
    client.post(change, {"state": "open"})
    assert Recruitment.objects.get().is_open
    assert "90 EUR" in Client().get(reverse("annotation:join", args=[campaign.slug])).content.decode()
    assert client.post(facts, texts | {"pay": ""}).status_code == 422


def test_a_script_in_the_facts_is_shown_as_text(campaign: Campaign, lead: User) -> None:
    Recruitment.objects.update(what="<script>alert(1)</script>")
    page = Client().get(reverse("annotation:join", args=[campaign.slug])).content.decode()
    assert "<script>alert" not in page


# --- Erasing ----------------------------------------------------------------------------------------------
def test_what_was_erased_cannot_be_read_by_anybody(
    campaign: Campaign, lead: User, client_for: ClientFor
) -> None:
    mara = applied(campaign)
    application = mara.application
    with pytest.raises(services.MoveRefusedError):
        services.erase_application(application=application, by=lead)
    mara.moved(Stage.WITHDRAWN, lead)
    client_for(lead).post(reverse("annotation:erase_applicant", args=[campaign.slug, application.pk]))
    erased = type(application).objects.select_related("data_key").get(pk=application.pk)
    with pytest.raises(TextErasedError):
        answers.read(erased)
    assert not CurriculumVitae.objects.exists()
    page = client_for(lead).get(reverse("annotation:applicant", args=[campaign.slug, application.pk]))
    assert page.status_code == 200
    assert "Mara" not in page.content.decode()
    assert ApplicationEvent.objects.filter(application=application).count() == 3
    assert mara.client.get(mara.page).status_code == 410


# --- Targets ----------------------------------------------------------------------------------------------
def test_what_nobody_did_yet_is_not_measured(campaign: Campaign, lead: User, client_for: ClientFor) -> None:
    page = client_for(lead).get(reverse("annotation:recruiting", args=[campaign.slug])).content.decode()
    assert page.count("NOT MEASURED") == 2  # pass rate and days to hire; nobody applied is a count


def test_days_to_hire_run_from_applied_to_active(campaign: Campaign, lead: User) -> None:
    mara, start = applied(campaign), timezone.now()
    for place, stage in enumerate(WAY[1:], start=1):
        with time_machine.travel(start + timedelta(days=place)):
            mara.moved(stage, lead)
    with_clock_of_database = ApplicationEvent.objects.get(to_stage=Stage.ACTIVE).at
    facts = Recruitment.objects.get()
    figures = targets_of(campaign, facts)
    expected = (
        with_clock_of_database - ApplicationEvent.objects.get(to_stage=Stage.APPLIED).at
    ).total_seconds()
    assert figures[2].actual == round(expected / 86_400, 1)
    assert figures[0].actual == 1


def test_targets_say_whether_they_are_reached() -> None:
    assert applicants(5, 5).is_met is True
    assert applicants(4, 5).is_met is False
    assert applicants(0, None).is_met is None
    assert pass_rate(0, 0, 50).actual is None
    assert pass_rate(2, 3, 50).actual == 67
    assert days_to_hire([], 10).is_met is None
    assert days_to_hire([3, 4, 30], 10).actual == 4
    assert days_to_hire([3, 4, 30], 3).is_met is False


def test_mail_of_a_return_is_not_sent_again(campaign: Campaign, lead: User) -> None:
    mara = applied(campaign).moved(Stage.SCREENING, lead).moved(Stage.PAUSED, lead)
    mara.moved(Stage.SCREENING, lead)
    newest_link(mara.email)
    assert mara.application.mails.filter(kind="screening").count() == 1


def test_aside_stages_are_all_on_the_board(campaign: Campaign) -> None:
    assert set(ASIDE) < {column.stage for column in columns_of(campaign)}
