"""Set up a simulated campaign, let simulated annotators work through it, and say what came of it."""

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations, pairwise
from pathlib import Path

import orjson
from django.db import connection, transaction

from annotation.assignment.planning import replan_where_needed
from annotation.assignment.repeats import wake_repeats
from annotation.campaigns.services import change_state, create_campaign, set_members
from annotation.intake.services import take_in_import
from annotation.labelling.selectors import scheme_of
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Label, Purpose, Sample
from annotation.rehearsal.annotator import Annotator, Counts
from annotation.rehearsal.behaviour import Temperament
from annotation.rehearsal.clinician import SimulatedClinician
from annotation.rehearsal.doors import Door, HttpDoor, InProcessDoor
from annotation.rehearsal.faults import Fault
from annotation.rehearsal.texts import MadeConversation, made_conversations
from datasets_app.importing.running import import_file
from datasets_app.models import ImportState, Source
from prometheus_site.accounts.api_tokens import create_api_token
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role

ROUNDS = 20  # passes go to others and repeats come due: so many times the annotators look again
Say = Callable[[str], None]


class RehearsalNotPossibleError(Exception):
    """The rehearsal cannot be set up; the text says why and what to do."""


@dataclass(frozen=True)
class Script:
    """What is rehearsed. ``think_time`` multiplies a person's thinking time; 0 does not wait."""

    annotators: int = 5
    samples: int = 5000
    seed: int = 1
    skill: float = 0.9
    think_time: float = 0.0
    training: int = 0
    calibration: int = 0
    anchors: int = 0
    repeat_after_days: int = 0  # a rehearsal does not last a week, unless its clock is moved
    slug: str = "rehearsal"
    temperament: Temperament = field(default_factory=Temperament)
    faults: tuple[Fault, ...] = ()

    def address(self, number: int) -> str:
        """Return the address of the annotator of that number, counted from 1."""
        return f"{self.slug}-{number}@simulated.invalid"

    def faults_of(self, number: int) -> tuple[Fault, ...]:
        """Return what is wrong with the annotator of that number."""
        return tuple(fault for fault in self.faults if fault.befalls(number))


def set_up(script: Script, *, lead: User, say: Say = print) -> Campaign:
    """Return an open simulated campaign of made-up conversations with its simulated annotators."""
    if Campaign.objects.filter(slug=script.slug).exists():
        raise RehearsalNotPossibleError(
            f"There is a campaign “{script.slug}” already. Choose another --slug: campaigns are never "
            "written over."
        )
    with transaction.atomic():
        campaign = create_campaign(
            name=f"Rehearsal {script.slug}",
            slug=script.slug,
            created_by=lead,
            is_simulated=True,
            seed=script.seed,
        )
        campaign.training_samples = script.training
        campaign.calibration_samples = script.calibration
        campaign.anchor_samples = script.anchors
        campaign.repeat_after_days = script.repeat_after_days
        campaign.save()
        _take_in_made_conversations(campaign, script, lead)
        say(f"{campaign.samples.count()} made-up samples are in.")
        people = [_simulated_person(script, number) for number in range(1, script.annotators + 1)]
        set_members(campaign=campaign, user_ids=[user.pk for user in people], changed_by=lead)
        change_state(campaign=campaign, state=CampaignState.OPEN, changed_by=lead, accepts_misfit=True)
    campaign.refresh_from_db()
    return campaign


def rehearse(
    campaign: Campaign, script: Script, *, base_url: str | None = None, say: Say = print
) -> dict[str, Counts]:
    """Let everybody work until nothing is left; return what happened, by the code of the annotator.

    With a base URL through the HTTP API of the running site, each on a connection and in a thread of its
    own; without one in this process, one after the other.
    """
    annotators = annotators_of(campaign, script, base_url)
    for code, annotator in annotators.items():
        if faults := annotator.clinician.faults:
            say(f"{code}: {', '.join(map(str, faults))}.")
    for round_number in range(1, ROUNDS + 1):
        began, before = time.monotonic(), _labelled(annotators)
        if base_url:
            connection.close()  # they work for minutes, and the database may be restarted meanwhile
            _work_together(annotators)
        else:
            _work_in_turn(annotators)
        labelled = _labelled(annotators) - before
        say(f"Round {round_number}: {labelled} labels in {time.monotonic() - began:.0f} s.")
        if not replan_where_needed() + wake_repeats() and not labelled:
            break
    for annotator in annotators.values():
        annotator.counts["asked again"] = annotator.door.retries
    return {code: annotator.counts for code, annotator in annotators.items()}


def pair_overlaps(campaign: Campaign) -> dict[tuple[str, str], int]:
    """Return how many overlap samples each two annotators have both labelled, by their codes."""
    slots = Assignment.objects.filter(
        campaign=campaign, purpose=Purpose.OVERLAP, state=AssignmentState.LABELLED
    )
    by_sample: dict[object, list[str]] = {}
    for sample, code in slots.values_list("sample_id", "annotator__code"):
        by_sample.setdefault(sample, []).append(code)
    pairs = (pair for codes in by_sample.values() for pair in combinations(sorted(codes), 2))
    return dict(sorted(Counter(pairs).items()))


def severe_in_a_row(campaign: Campaign) -> int:
    """Return how often one person was handed two samples estimated severe one after the other."""
    handed = Assignment.objects.filter(campaign=campaign, screen_order__isnull=False)
    rows = handed.order_by("annotator", "screen_order").values_list(
        "annotator", "sample__is_estimated_severe"
    )
    return sum(one == other and first and second for (one, first), (other, second) in pairwise(rows))


def _take_in_made_conversations(campaign: Campaign, script: Script, lead: User) -> None:
    source = Source.objects.create(
        name=f"Made up for {campaign.slug}",
        license_tag="written for Prometheus",
        is_synthetic=True,
        created_by=lead,
    )
    made = list(made_conversations(script.samples, script.seed))
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        file.writelines(_as_lines(made))
        file.flush()
        job = import_file(
            path=Path(file.name), source=source, format="chatml", options={}, campaign_slug=campaign.slug
        )
    if job.state != ImportState.DONE:
        raise RehearsalNotPossibleError(f"The made-up conversations were not taken in: {job.problem}")
    take_in_import(job=job, campaign_slug=campaign.slug)
    severe = [row for row, each in enumerate(made, start=1) if each.is_estimated_severe]
    Sample.objects.filter(campaign=campaign, conversation__row__in=severe).update(is_estimated_severe=True)


def _as_lines(made: Iterable[MadeConversation]) -> Iterator[bytes]:
    for each in made:
        messages = [{"role": role, "content": text} for role, text in each.turns]
        yield orjson.dumps({"messages": messages}, option=orjson.OPT_APPEND_NEWLINE)


def _simulated_person(script: Script, number: int) -> User:
    """Return a simulated annotator: marked so in the database, and nobody can sign in as it."""
    person = User(
        email=script.address(number),
        display_name=f"Simulated {number}",
        is_simulated=True,
    )
    person.set_unusable_password()
    person.save()
    RoleGrant.objects.create(user=person, role=Role.ANNOTATOR)
    return person


def _door_for(user: User, campaign: Campaign, base_url: str | None) -> Door:
    if base_url is None:
        return InProcessDoor(campaign.slug, user)
    _, secret = create_api_token(user=user, name="rehearsal", was_second_factor_passed=True)
    return HttpDoor(base_url, campaign.slug, secret)


def annotators_of(campaign: Campaign, script: Script, base_url: str | None = None) -> dict[str, Annotator]:
    """Return those who take part, by their codes; they remember what they have read from round to round."""
    members = User.objects.filter(memberships__campaign=campaign, is_simulated=True)
    faults = {script.address(number): script.faults_of(number) for number in range(1, script.annotators + 1)}
    return {
        user.code: Annotator(
            clinician=SimulatedClinician(
                user.email, script.seed, skill=script.skill, faults=faults.get(user.email, ())
            ),
            temperament=script.temperament,
            scheme=scheme_of(campaign),
            guideline=campaign.guideline_id,
            door=_door_for(user, campaign, base_url),
            planned=max(Assignment.objects.filter(campaign=campaign, annotator=user).count(), 1),
            think=partial(_wait, script.think_time),
        )
        for user in members.order_by("email")
    }


def _labelled(annotators: dict[str, Annotator]) -> int:
    return sum(annotator.counts["labelled"] for annotator in annotators.values())


def _wait(factor: float, seconds: float) -> None:
    if factor:
        time.sleep(factor * seconds)


def _work_in_turn(annotators: dict[str, Annotator]) -> None:
    for annotator in annotators.values():
        annotator.work()


def _work_together(annotators: dict[str, Annotator]) -> None:
    failures: list[Exception] = []

    def run(annotator: Annotator) -> None:
        try:
            annotator.work()
        except Exception as failed:
            failures.append(failed)

    threads = [threading.Thread(target=run, args=[each], daemon=True) for each in annotators.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def labels_given(campaign: Campaign) -> int:
    """Return how many labels stand in the campaign."""
    return Label.objects.current().filter(campaign=campaign).count()
