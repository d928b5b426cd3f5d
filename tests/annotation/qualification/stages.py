"""A person on the way to the samples, and every way by which a text could reach that person."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.agreements.services import sign
from annotation.learning.content import modules
from annotation.learning.services import answer_module
from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    Outcome,
    Purpose,
)
from annotation.qualification.facts import documents_in_force
from annotation.qualification.services import decide, record_licence
from prometheus_site.accounts.models import User

TEXT = "what was said"  # stands in every made-up conversation


def give_slots(campaign: Campaign, person: User) -> list[Assignment]:
    """Put slots of every purpose into the person's queue, past the plan: only the gate is in the way."""
    return [
        Assignment.objects.create(
            campaign=campaign,
            sample=sample,
            annotator=person,
            purpose=Purpose(sample.design_role),
            position=place,
        )
        for place, sample in enumerate(campaign.samples.order_by("-number"), start=1)
        if not Assignment.objects.filter(sample=sample, annotator=person, repeat_number=0).exists()
    ]


def sign_all(person: User, *kinds: str) -> None:
    for kind, document in documents_in_force().items():
        if not kinds or kind in kinds:
            sign(document=document, sha256=document.sha256, signer=person, confirmed_by="password")


def train(person: User) -> None:
    """Let the person answer every module right."""
    for module in modules():
        answer_module(learner=person, module=module, chosen=[one.right for one in module.questions])


def check_licence(person: User, lead: User, *, days: int) -> None:
    record_licence(
        clinician=person,
        number="PSY-123",
        jurisdiction="England",
        expires_on=timezone.localdate() + timedelta(days=days),
        time_zone="Europe/London",
        recorded_by=lead,
        is_checked=True,
    )


def invite_to_calibrate(campaign: Campaign, person: User) -> None:
    assert campaign.created_by is not None
    decide(
        campaign=campaign,
        clinician=person,
        outcome=Outcome.CALIBRATE,
        because="Passed the quiz.",
        decided_by=campaign.created_by,
    )


def answers_of_every_way(client: Client, campaign: Campaign, person: User) -> Iterator[tuple[str, str]]:
    """Try every address that could hand out a text; yield its name and what came back."""
    slots = [slot.pk for slot in Assignment.objects.filter(campaign=campaign, annotator=person)]
    held = [str(slot) for slot in slots]
    yield "API next", _post(client, "next", campaign, {"count": 3, "held": [], "showing": None})
    yield "prefetch, held", _post(client, "next", campaign, {"count": 3, "held": held, "showing": None})
    for slot in slots:
        showing = {"count": 1, "held": [], "showing": str(slot)}
        yield "API next, showing", _post(client, "next", campaign, showing)
        yield "API open", _post(client, "open", campaign, {}, slot)
        yield "API draft", _post(client, "draft", campaign, {"answers": {}, "note": ""}, slot, "put")
        yield "page save", _page(client, "save_label", campaign, {"action": "save"}, slot)
        yield "page draft", _page(client, "save_label", campaign, {"action": "draft"}, slot)
        yield "page open", _page(client, "open_severe", campaign, {}, slot)
        yield "page flag", client.get(_address("annotation:flag_sample", campaign, slot)).content.decode()
    yield "API undo", _post(client, "undo", campaign, {})
    yield "page next", _page(client, "fetch_next", campaign, {})
    yield "page undo", _page(client, "undo", campaign, {})
    yield "workbench", client.get(_address("annotation:workbench", campaign)).content.decode()


def texts_that_came(client: Client, campaign: Campaign, person: User) -> list[str]:
    """Return the ways by which a text came."""
    return [way for way, answer in answers_of_every_way(client, campaign, person) if TEXT in answer]


def handed_out(campaign: Campaign, person: User) -> set[str]:
    """Return the purposes of the slots that are or were on the person's screen."""
    own = Assignment.objects.filter(campaign=campaign, annotator=person)
    return set(own.filter(state=AssignmentState.LEASED).values_list("purpose", flat=True))


def _address(name: str, campaign: Campaign, *more: uuid.UUID) -> str:
    return reverse(name, args=[campaign.slug, *more])


def _post(
    client: Client,
    name: str,
    campaign: Campaign,
    body: dict[str, object],
    slot: uuid.UUID | None = None,
    method: str = "post",
) -> str:
    address = _address(f"annotation_api:{name}", campaign, *([slot] if slot else []))
    answer = getattr(client, method)(address, body, content_type="application/json")
    assert answer.status_code < 500
    return str(answer.content.decode())


def _page(
    client: Client, name: str, campaign: Campaign, data: dict[str, str], slot: uuid.UUID | None = None
) -> str:
    address = _address(f"annotation:{name}", campaign, *([slot] if slot else []))
    answer = client.post(address, data, follow=True)
    assert answer.status_code < 500
    return answer.content.decode()
