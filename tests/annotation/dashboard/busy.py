"""A campaign in which everything has happened, another one beside it, and a reader of its pages."""

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import time_machine
from django.test import Client

from annotation.assignment import sittings
from annotation.assignment.queue import assign_next
from annotation.campaigns.services import set_members
from annotation.guidelines.services import store_guideline
from annotation.labelling.services import correct_label, record_label, undo_label
from annotation.labelling.unlabelled import flag_sample, pass_sample
from annotation.models import Assignment, AssignmentState, Campaign, FlagKind, Purpose, Sample
from annotation.models.assignment import AssignmentQuerySet
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.worlds import label, make_campaign, submission

FIRST_DAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MODALITIES = ("cbt", "dbt", "person_centred", "supportive")


@dataclass
class BusyWorld:
    campaign: Campaign
    beside: Campaign
    annotators: list[User]


def make_busy_world(lead: User, annotators: list[User], *, samples: int = 68) -> BusyWorld:
    """Return a campaign with labels on several days and under two guideline versions, corrections, notes,
    severe and unratable labels, a training label, somebody who left, and windows of one conversation; with a
    pass, a flag, a label undone, one not locked yet, a silent repeat labelled, and a sample on a screen."""
    beside = make_campaign(lead, annotators, slug="beside", samples=4)
    for slot in first_slots(beside):
        label(beside, slot.annotator, slot.sample.number, note="beside", answers=_severe())
    campaign = make_campaign(lead, annotators, slug="busy", samples=samples)
    _second_window(campaign)
    leaver = annotators[-1]
    # Whatever the plan drew: what is to come again is labelled and counts, and so are samples 5 to 11.
    drawn = campaign.assignments.filter(purpose=Purpose.REPEAT).values_list("sample__number", flat=True)
    once = [number for number in (*range(1, 5), *range(12, samples + 1)) if number not in set(drawn)]
    kept_waiting, training = set(once[:4]), once[4]
    for sample in campaign.samples.exclude(number__in=kept_waiting).order_by("number"):
        _label_all(campaign, sample, leaver, training)
    _correct_some(campaign, annotators[0])
    members = [annotator.pk for annotator in annotators if annotator != leaver]
    set_members(campaign=campaign, user_ids=members, changed_by=lead)
    _at_work(campaign, annotators[1])
    return BusyWorld(campaign, beside, annotators)


def _severe() -> dict[str, object]:
    return {"crisis_intensity": "4", "crisis_types": ["suicide"], "suicidal_behaviour": "none"}


def _second_window(campaign: Campaign) -> None:
    """Make the first two samples windows of one conversation."""
    first, second = campaign.samples.filter(number__in=[5, 6]).order_by("number")
    second.conversation, second.window_start, second.window_stop = first.conversation, 1, 2
    second.save()


def _label_all(campaign: Campaign, sample: Sample, leaver: User, training: int) -> None:
    number = sample.number
    chooser = random.Random(number)  # noqa: S311
    truth = chooser.choice(["0", "0", "1", "4"])
    if number > 50:
        campaign.guideline = store_guideline(
            scheme_key=campaign.scheme.key, version="1.1", body="## C1 More\n", created_by=None
        )
        campaign.save(update_fields=["guideline"])
    for slot in first_slots(campaign).filter(sample=sample).order_by("annotator__email"):
        if slot.annotator == leaver and number % 9 == 0:
            continue
        if number == training:
            Assignment.objects.filter(pk=slot.pk).update(purpose=Purpose.TRAINING)
        with time_machine.travel(FIRST_DAY + timedelta(days=number % 5, minutes=number)):
            label(
                campaign,
                slot.annotator,
                number,
                answers=_answers(chooser, truth, number),
                note="a note" if number % 7 == 0 else "",
            )


def _answers(chooser: random.Random, truth: str, number: int) -> dict[str, object]:
    level = truth if chooser.random() < 0.8 else chooser.choice(["0", "1", "4"])
    raised: dict[str, object] = {"crisis_types": ["suicide"], "suicidal_behaviour": "none"}
    crisis: dict[str, object] = {"crisis_intensity": level} | (raised if level != "0" else {})
    if number in (10, 11) and chooser.random() < 0.8:
        crisis = {"crisis_not_ratable": True, "crisis_intensity": None, "crisis_confidence": None}
    return crisis | {
        "modality_primary": chooser.choice(MODALITIES[: 1 + number % 4]),
        "empathy_global": str(min(5, 1 + number % 5 + (chooser.random() < 0.3))),
    }


def _correct_some(campaign: Campaign, annotator: User) -> None:
    for given in campaign.labels.filter(annotator=annotator).order_by("sample__number")[:3]:
        changed = submission(
            campaign, key=uuid.uuid4(), reason="slipped", answers={"crisis_intensity": "3"} | _severe()
        )
        correct_label(annotator=annotator, label=given, submission=changed)


def _at_work(campaign: Campaign, annotator: User) -> None:
    """Leave somebody in the middle of everything that is not a locked label."""
    labelled = campaign.labels.counting_for_agreement().filter(annotator=annotator).values("sample")
    repeats = campaign.assignments.filter(annotator=annotator, purpose=Purpose.REPEAT, sample__in=labelled)
    repeat = repeats.order_by("sample__number").first()
    assert repeat is not None, "the plan has silent repeats"
    Assignment.objects.filter(pk=repeat.pk).update(state=AssignmentState.WAITING)  # a week later
    record_label(annotator=annotator, assignment=repeat, submission=submission(campaign))
    sittings.end(campaign=campaign, annotator=annotator)
    for undone in (False, True):
        slot = next_slot(campaign, annotator)
        given = record_label(annotator=annotator, assignment=slot, submission=submission(campaign)).label
        if undone:
            undo_label(annotator=annotator, label=given)
            record_label(annotator=annotator, assignment=slot, submission=submission(campaign))
    slot = next_slot(campaign, annotator)
    flag_sample(annotator=annotator, assignment=slot, kind=FlagKind.UNREADABLE, words="", key=uuid.uuid4())
    pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())
    next_slot(campaign, annotator)


def first_slots(campaign: Campaign) -> AssignmentQuerySet:
    """Return the slots of a campaign without the silent repeats."""
    return campaign.assignments.filter(repeat_number=0).select_related("annotator", "sample")


def next_slot(campaign: Campaign, annotator: User) -> Assignment:
    """Put the person's next sample on the screen."""
    slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    return slot


def third_annotator() -> User:
    return people.make("third-annotator", Role.ANNOTATOR)


@dataclass
class Link:
    figure: str
    url: str
    anchor: str
    text: str = ""


class Page(HTMLParser):
    """What the tests read of a page: figure links, rows, the count of the heading, answers by item."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[Link] = []
        self.row_count = 0
        self.heading_count = ""
        self.items: list[dict[str, str]] = []
        self.alphas: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.next_page = ""
        self._reading = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.append(given["id"])
        if "data-figure" in given:
            self.links.append(Link(given["data-figure"], given["href"], given["id"]))
            self._reading = "link"
        elif "data-alpha" in given:
            self.alphas.append((given["href"], ""))
            self._reading = "alpha"
        elif "data-count" in given:
            self._reading = "count"
        elif "data-row" in given:
            self.row_count += 1
            self.items.append({})
        elif "data-person" in given:
            self.items[-1][given["data-person"]] = given["data-answer"]
        elif given.get("rel") == "next":
            self.next_page = given["href"]

    def handle_endtag(self, tag: str) -> None:
        self._reading = ""

    def handle_data(self, data: str) -> None:
        if self._reading == "link":
            self.links[-1].text += data
        elif self._reading == "alpha":
            self.alphas[-1] = (self.alphas[-1][0], self.alphas[-1][1] + data)
        elif self._reading == "count":
            self.heading_count += data


def pages_of(client: Client, url: str) -> list[Page]:
    """Return every page of a list, following its own links."""
    found: list[Page] = []
    base = url.partition("?")[0]
    while url:
        response = client.get(url)
        assert response.status_code == 200, url
        found.append(Page(response.content.decode()))
        url = base + found[-1].next_page if found[-1].next_page else ""
    return found
