"""By no page, program's address or export does a lead learn who passed a sample, or what a check-in says.

The same addresses as in `test_every_url`. Whoever can look twice can compare: what stands about a person
before a pass has to stand there after it, also once the plan has given the sample to somebody else.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import time_machine
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.assignment.planning import replan_where_needed
from annotation.assignment.queue import assign_next
from annotation.dashboard.figures import FIGURES
from annotation.labelling.unlabelled import leave, pass_sample
from annotation.models import AssignmentState, Campaign, Pass
from annotation.wellbeing.services import check_in
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.worlds import label, make_campaign
from tests.prometheus_site import test_every_url as every

world = every.world
SENTINEL = "a sentence that only its writer may read"
TOKEN = re.compile(r"(csrfmiddlewaretoken\" value=|X-CSRFToken&quot;: &quot;|nonce=)\"?[\w-]+")
ROW = re.compile(r"<(tr|li)\b.*?</\1>", re.DOTALL)


@dataclass(frozen=True)
class Seen:
    """What a lead found at every address at one moment."""

    whole: dict[str, str]

    def about(self, code: str) -> dict[str, list[str]]:
        """Return what is said of the person, by address: rows and lines, or all of the person's own list."""
        return {
            address: [_steady(part) for part in _parts(address, text, code)]
            for address, text in self.whole.items()
        }


def _parts(address: str, text: str, code: str) -> list[str]:
    if text.startswith("404"):
        return []
    if f"person={code}" in address:
        return [text]
    parts = [found[0] for found in ROW.finditer(text)] if "<html" in text else text.splitlines()
    return [part for part in parts if code in part]


def _steady(part: str) -> str:
    """Leave out what is drawn anew for every answer."""
    return re.sub(r"\s+", " ", TOKEN.sub("", part))


def addresses(world: every.World, campaign: Campaign) -> Iterator[str]:
    """Yield all that a lead may open, and every figure of the campaign, also narrowed to each person."""
    for name, rule in every.RULES.items():
        if "lead" in rule.may and rule.method == "get" and name not in ("admin:logout", "account_logout"):
            yield world.address(name)
    for key, figure in FIGURES.items():
        address = reverse("annotation:figure", args=[campaign.slug, key])
        chosen = "&dimension=crisis_intensity" if figure.is_per_dimension else ""
        yield f"{address}?{chosen}"
        for person in User.objects.filter(assignments__campaign=campaign).distinct():
            yield f"{address}?person={person.code}{chosen}"


def seen_by(client: Client, world: every.World, campaign: Campaign) -> Seen:
    found = {}
    for address in addresses(world, campaign):
        answer = client.get(address)
        pieces = answer.streaming_content if answer.streaming else [answer.content]  # type: ignore[attr-defined]
        content = b"".join(pieces).decode(errors="replace")
        found[address] = f"{answer.status_code}\n{content}"
    return Seen(found)


def moved(before: Seen, after: Seen, code: str) -> dict[str, tuple[list[str], list[str]]]:
    """Return what stands about the person otherwise than before, by address."""
    told = before.about(code)
    return {
        address: (told[address], now) for address, now in after.about(code).items() if now != told[address]
    }


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User, world: every.World) -> Campaign:
    """A campaign of the lead with three people who have all begun; the world's addresses lead there."""
    third = people.make("third", Role.ANNOTATOR)
    made = make_campaign(lead, [annotator, second_annotator, third], samples=12, slug="watched")
    for person in (annotator, second_annotator, third):
        own = made.assignments.filter(annotator=person, repeat_number=0).order_by("sample__number")
        for slot in own[:2]:  # each was shown, so that everybody has hours
            made.assignments.filter(pk=slot.pk).update(first_shown_at=timezone.now())
            label(made, person, slot.sample.number)
    world.objects |= {
        "annotation_campaign": made.pk,
        "annotation_assignment": made.assignments.filter(state=AssignmentState.LABELLED)[0].pk,
    }
    return made


def test_a_pass_or_a_check_in_moves_nothing_that_stands_about_anybody(
    campaign: Campaign, annotator: User, world: every.World
) -> None:
    world.objects["slug"] = campaign.slug
    client = world.clients["lead"]
    with time_machine.travel(timezone.now(), tick=False):
        slot = assign_next(campaign=campaign, annotator=annotator)
        assert slot is not None
        leave(annotator=annotator, campaign=campaign)
        before = seen_by(client, world, campaign)
        pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())
        leave(annotator=annotator, campaign=campaign)
        at_once = seen_by(client, world, campaign)
        assert replan_where_needed() == 1
        check_in(user=annotator, answers={"mood": "1", "words": SENTINEL})
        later = seen_by(client, world, campaign)
    assert Pass.objects.get().assignment.annotator == annotator
    found = [address for address, text in before.whole.items() if text.startswith("200")]
    assert len(found) > 80  # what is not found tells nothing
    assert before.whole != later.whole  # the campaign's passes are counted
    assert all(SENTINEL not in text for text in later.whole.values())
    for code in User.objects.filter(assignments__campaign=campaign).values_list("code", flat=True):
        assert any(before.about(code).values())  # the person stands on some pages
        assert moved(before, at_once, code) == {}
        assert moved(before, later, code) == {}


def test_an_export_has_no_gap_where_a_sample_was_passed(
    campaign: Campaign, annotator: User, world: every.World
) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        for passes in (False, True, False):
            slot = assign_next(campaign=campaign, annotator=annotator)
            assert slot is not None
            if passes:
                pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())
            else:
                label(campaign, annotator, slot.sample.number)
    answer = world.clients["lead"].get(reverse("annotation_api:export_csv", args=[campaign.slug]))
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    place = lines[0].split(",").index("screen_order")
    orders = [line.split(",")[place] for line in lines[1:] if annotator.code in line]
    given = sorted(int(order) for order in orders if order)
    assert given == [1, 2]


def test_passes_and_check_ins_have_no_page_on_the_board() -> None:
    registered = {model.__name__ for model in admin.site._registry}
    assert not registered & {"Pass", "CheckIn", "TopicOptOut", "CareLimits", "Exposure", "Draft", "LabelUndo"}
