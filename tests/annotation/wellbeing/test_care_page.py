"""The page of care: a clinician's own, and nobody else's."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from annotation.assignment.queue import hand_out
from annotation.models import Assignment, AssignmentState, Campaign, CareLimits, CheckIn, TopicOptOut
from annotation.wellbeing.forms import LimitsForm
from annotation.wellbeing.services import opt_out
from datasets_app.models import Conversation
from prometheus_site.accounts.models import User
from prometheus_site.core.models import SealedText
from tests.annotation.planned import queue_of
from tests.annotation.worlds import CRISIS, label, make_campaign

ClientFor = Callable[[User], Client]
pytestmark = pytest.mark.django_db
PAGE = "/care/"
GOOD_LIMITS = {
    "minutes_per_day": "60",
    "severe_per_day": "5",
    "severe_per_sitting": "2",
    "break_after_minutes": "20",
    "time_zone": "Pacific/Apia",
}
WORDS = "slept badly after the one about the bridge"


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    """Eight samples on two topics."""
    made = make_campaign(lead, [annotator, second_annotator], samples=8)
    conversations = Conversation.objects.filter(samples__campaign=made)
    conversations.filter(row__lte=4).update(topic="grief")
    conversations.filter(row__gt=4).update(topic="work")
    return made


def topics_waiting(campaign: Campaign, annotator: User) -> set[str]:
    waiting = Assignment.objects.filter(pk__in=[slot.pk for slot in queue_of(campaign, annotator)])
    return set(waiting.values_list("sample__conversation__topic", flat=True))


class TestShow:
    def test_works(self, campaign: Campaign, annotator: User, client_for: ClientFor) -> None:
        page = client_for(annotator).get(reverse("annotation:care")).content.decode()
        assert reverse("annotation:care") == PAGE
        assert "0 min of 120 min" in page
        assert '<option value="grief">' in page

    @pytest.mark.parametrize("who", ["lead", "outsider", "adjudicator", "engineer"])
    def test_wrong_role(self, who: str, request: pytest.FixtureRequest, client_for: ClientFor) -> None:
        assert client_for(request.getfixturevalue(who)).get(PAGE).status_code == 404

    def test_wrong_method(self, annotator: User, client_for: ClientFor) -> None:
        client = client_for(annotator)
        assert client.post(PAGE).status_code == 405
        assert client.get(reverse("annotation:set_care_limits")).status_code == 405


class TestSetLimits:
    def test_works(self, annotator: User, client_for: ClientFor) -> None:
        client = client_for(annotator)
        response = client.post(reverse("annotation:set_care_limits"), GOOD_LIMITS)
        assert response.status_code == 302
        limits = CareLimits.objects.get(user=annotator)
        assert (limits.minutes_per_day, limits.severe_per_day, limits.time_zone) == (60, 5, "Pacific/Apia")
        client.post(reverse("annotation:set_care_limits"), GOOD_LIMITS | {"severe_per_day": "25"})
        limits.refresh_from_db()
        assert limits.severe_per_day == 25

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("minutes_per_day", "121"),
            ("minutes_per_day", "9"),
            ("severe_per_day", "26"),
            ("severe_per_day", "-1"),
            ("severe_per_sitting", "11"),
            ("break_after_minutes", "31"),
            ("time_zone", "Mars/Olympus"),
        ],
    )
    def test_bad_input(self, annotator: User, client_for: ClientFor, field: str, value: str) -> None:
        response = client_for(annotator).post(
            reverse("annotation:set_care_limits"), GOOD_LIMITS | {field: value}
        )
        assert response.status_code == 422
        assert 'aria-invalid="true"' in response.content.decode()
        assert not CareLimits.objects.exists()


class TestTopics:
    def test_nothing_on_the_topic_waits_any_more(
        self, campaign: Campaign, annotator: User, second_annotator: User, client_for: ClientFor
    ) -> None:
        assert topics_waiting(campaign, annotator) == {"grief", "work"}
        response = client_for(annotator).post(reverse("annotation:opt_out"), {"topic": "grief"})
        assert response.status_code == 302
        assert topics_waiting(campaign, annotator) == {"work"}
        assert topics_waiting(campaign, second_annotator) == {"grief", "work"}

    def test_a_topic_is_one_however_sources_write_it(
        self, campaign: Campaign, annotator: User, client_for: ClientFor
    ) -> None:
        conversations = Conversation.objects.filter(samples__campaign=campaign)
        for row, topic in enumerate(["Child loss", "child_loss", " CHILD  LOSS", "child__Loss_"], 1):
            conversations.filter(row=row).update(topic=topic)
        page = client_for(annotator).get(PAGE).content.decode()
        assert page.lower().count("loss</option>") == 1
        opt_out(user=annotator, topic="child_loss")
        opt_out(user=annotator, topic="Child Loss")
        assert TopicOptOut.objects.count() == 1
        assert topics_waiting(campaign, annotator) == {"work"}
        assert "loss</option>" not in client_for(annotator).get(PAGE).content.decode().lower()

    def test_what_was_fetched_ahead_is_taken_away_too(
        self, campaign: Campaign, annotator: User, client_for: ClientFor
    ) -> None:
        hand_out(campaign=campaign, annotator=annotator, count=3)
        opt_out(user=annotator, topic="grief")
        opt_out(user=annotator, topic="work")
        assert not campaign.assignments.filter(
            annotator=annotator, state__in=[AssignmentState.LEASED, AssignmentState.WAITING]
        ).exists()

    def test_it_may_come_again(self, campaign: Campaign, annotator: User, client_for: ClientFor) -> None:
        opt_out(user=annotator, topic="grief")
        [one] = TopicOptOut.objects.all()
        client_for(annotator).post(reverse("annotation:opt_in", args=[one.pk]))
        one.refresh_from_db()
        assert one.ended_at is not None
        assert topics_waiting(campaign, annotator) == {"grief", "work"}

    def test_asked_twice_it_holds_once(self, campaign: Campaign, annotator: User) -> None:
        opt_out(user=annotator, topic="grief")
        opt_out(user=annotator, topic="grief")
        assert TopicOptOut.objects.count() == 1

    def test_anothers_opt_out_cannot_be_ended(
        self, campaign: Campaign, annotator: User, second_annotator: User, client_for: ClientFor
    ) -> None:
        opt_out(user=annotator, topic="grief")
        [one] = TopicOptOut.objects.all()
        response = client_for(second_annotator).post(reverse("annotation:opt_in", args=[one.pk]))
        assert response.status_code == 404
        one.refresh_from_db()
        assert one.ended_at is None

    def test_an_unknown_topic_is_refused(
        self, campaign: Campaign, annotator: User, client_for: ClientFor
    ) -> None:
        response = client_for(annotator).post(reverse("annotation:opt_out"), {"topic": "no such topic"})
        assert response.status_code == 422
        assert not TopicOptOut.objects.exists()


class TestCheckIn:
    def test_works_and_is_sealed(self, annotator: User, client_for: ClientFor) -> None:
        client = client_for(annotator)
        client.post(reverse("annotation:check_in"), {"mood": "2", "words": WORDS})
        [kept] = CheckIn.objects.all()
        assert WORDS.encode() not in bytes(SealedText.objects.get(pk=kept.answers_id).ciphertext)
        page = client.get(PAGE).content.decode()
        assert WORDS in page
        assert "Strained" in page

    def test_nobody_else_sees_it(
        self, annotator: User, second_annotator: User, client_for: ClientFor
    ) -> None:
        client_for(annotator).post(reverse("annotation:check_in"), {"mood": "2", "words": WORDS})
        assert WORDS not in client_for(second_annotator).get(PAGE).content.decode()

    def test_bad_input(self, annotator: User, client_for: ClientFor) -> None:
        response = client_for(annotator).post(reverse("annotation:check_in"), {"mood": "9", "words": WORDS})
        assert response.status_code == 422
        assert WORDS in response.content.decode()
        assert not CheckIn.objects.exists()


@pytest.mark.parametrize(
    "address",
    ["dashboard/", "plan/", "", "figures/withdrawn/", "figures/planned/"],
)
def test_no_page_of_the_lead_tells_who_opted_out_or_checked_in(
    campaign: Campaign, annotator: User, lead: User, client_for: ClientFor, address: str
) -> None:
    opt_out(user=annotator, topic="grief")
    client_for(annotator).post(reverse("annotation:check_in"), {"mood": "1", "words": WORDS})
    page = client_for(lead).get(f"/campaigns/{campaign.slug}/{address}").content.decode()
    assert WORDS not in page
    assert "grief" not in page
    assert "opted" not in page


def test_the_export_tells_neither(
    campaign: Campaign, annotator: User, lead: User, client_for: ClientFor
) -> None:
    opt_out(user=annotator, topic="grief")
    for name in ("export_csv", "export_jsonl"):
        address = reverse(f"annotation_api:{name}", args=[campaign.slug])
        content = b"".join(client_for(lead).get(address).streaming_content)  # type: ignore[attr-defined]
        assert b"grief" not in content
        assert b"opt" not in content


def test_the_dashboard_shows_the_dose_of_each_person(
    campaign: Campaign, annotator: User, lead: User, client_for: ClientFor
) -> None:
    label(campaign, annotator, 1, answers=CRISIS)
    page = client_for(lead).get(f"/campaigns/{campaign.slug}/dashboard/").content.decode()
    rows = page[page.index("Dose read") :].split("<tr>")
    [own] = [row for row in rows if annotator.code in row and "data-figure" in row]
    assert '<td class="number">2</td>' in own


def test_the_database_knows_every_time_zone_that_is_offered(campaign: Campaign) -> None:
    # Each save asks PostgreSQL when the person's day began: a zone it does not know would stop the person.
    offered = [name for name, _ in LimitsForm().fields["time_zone"].choices]  # type: ignore[attr-defined]
    assert {"UTC", "Pacific/Apia", "Europe/Berlin"} < set(offered)
    with connection.cursor() as cursor:
        for name in offered:
            cursor.execute("SELECT date_trunc('day', now(), %s)", [name])


def test_a_time_zone_of_this_machine_alone_is_refused(annotator: User, client_for: ClientFor) -> None:
    given = GOOD_LIMITS | {"time_zone": "localtime"}  # Python may know it; PostgreSQL does not
    answer = client_for(annotator).post(reverse("annotation:set_care_limits"), given)
    assert "localtime is not one of the available choices" in answer.content.decode()
    assert not CareLimits.objects.exists()
