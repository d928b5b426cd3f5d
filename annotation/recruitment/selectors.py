"""Read recruiting: the public page, the lead's board, one application, targets and actuals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import yaml
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet

from annotation.models import (
    Application,
    ApplicationEvent,
    Campaign,
    QuizAttempt,
    Recruitment,
)
from annotation.recruitment import targets
from annotation.recruitment.answers import address_digest, read, read_unless_erased
from annotation.recruitment.evidence import done_for
from annotation.recruitment.progress import Waiting, waits_for
from annotation.recruitment.stages import ASIDE, BY_DECISION, ENDED, WAY, Stage, moves_from
from annotation.screening.policy import TRIES
from prometheus_site.accounts.models import User
from prometheus_site.core.sealing import SITE_SCOPE, TextErasedError, data_key_for, open_text

SECONDS_A_DAY = 86_400
ON_THE_BOARD = (Stage.UNCONFIRMED, *WAY, *ASIDE)


@dataclass(frozen=True)
class Column:
    """A stage of the board, and how many are in it."""

    stage: Stage
    count: int


@dataclass(frozen=True)
class Row:
    """An application as the board shows it."""

    application: Application
    name: str
    since: datetime
    waits_for: Waiting | None


@dataclass(frozen=True)
class Moved:
    """An event as the lead reads it."""

    event: ApplicationEvent
    from_title: str
    to_title: str
    why: str


def starting_facts(campaign: Campaign) -> Recruitment:
    """Return an unsaved page with the shipped texts."""
    shipped = yaml.safe_load((Path(__file__).parent / "facts.yaml").read_text(encoding="utf-8"))
    return Recruitment(campaign=campaign, **shipped)


def recruitment_of(campaign: Campaign) -> Recruitment | None:
    return Recruitment.objects.filter(campaign=campaign).first()


def columns_of(campaign: Campaign) -> list[Column]:
    """Return every stage of the board with its count, in the order of the way."""
    counted = dict(_on_board(campaign).values_list("stage").annotate(Count("pk")).order_by())
    return [Column(stage, counted.get(stage.value, 0)) for stage in ON_THE_BOARD]


def applications_in(campaign: Campaign, stage: Stage | None) -> QuerySet[Application]:
    """Return the applications of a stage, or all that are under way, who waits longest first."""
    found = _on_board(campaign).select_related("data_key", "invitation__accepted_by")
    found = found.filter(stage=stage) if stage else found.exclude(stage__in=ASIDE)
    return found.order_by("submitted_at")


@dataclass(frozen=True)
class OwnWay:
    """A person's own application under way."""

    application: Application
    waits_for: Waiting | None
    is_member: bool  # taken into the campaign: its own pages say the rest


def rows_of(campaign: Campaign, applications: Sequence[Application]) -> list[Row]:
    """Open the names of these applications, and say since when each is where it is and what it waits for."""
    last = ApplicationEvent.objects.filter(application__in=applications)
    since = {event.application_id: event.at for event in last.order_by("number")}
    done = done_for(campaign, applications)
    return [
        Row(
            application=one,
            name=read_unless_erased(one).get("name", "erased"),
            since=since.get(one.pk, one.started_at),
            waits_for=waits_for(Stage(one.stage), done[one.pk]),
        )
        for one in applications
    ]


def history_of(application: Application) -> list[Moved]:
    """Return every move of the application, oldest first, reasons opened."""
    events = application.events.select_related("why__data_key", "moved_by").order_by("number")
    return [
        Moved(event, Stage(event.from_stage).label, Stage(event.to_stage).label, _words(event))
        for event in events
    ]


@dataclass(frozen=True)
class Licence:
    """A licence as the applicant wrote it down."""

    number: str
    jurisdiction: str
    expires_on: date


def licence_of(application: Application) -> Licence:
    """Open the licence of a sent application. Raises TextErasedError when it was erased."""
    written = read(application)
    expires_on = date.fromisoformat(written["licence_expires_on"])
    return Licence(written["licence_number"], written["licence_jurisdiction"], expires_on)


def applications_of(user: User) -> QuerySet[Application]:
    """Return every application of who accepted its invitation, or signs in with its address."""
    digest = address_digest(user.email, data_key_for(SITE_SCOPE))
    own = Q(invitation__accepted_by=user) | Q(email_digest=digest)
    sent = Application.objects.filter(own, confirmed_at__isnull=False, duplicate_of__isnull=True)
    return sent.select_related("data_key", "campaign", "invitation__accepted_by").order_by("submitted_at")


def application_of(user: User, campaign: Campaign) -> Application | None:
    """Return the person's application to this campaign while it is under way."""
    return applications_of(user).filter(campaign=campaign).exclude(stage__in=ENDED).first()


def own_ways(user: User) -> list[OwnWay]:
    """Return the person's applications that are under way and not at their end."""
    taken_in = user.memberships.filter(campaign=OuterRef("campaign"), left_at__isnull=True)
    found = applications_of(user).filter(stage__in=WAY[:-1]).annotate(is_member=Exists(taken_in))
    return [OwnWay(one, waiting_of(one), one.is_member) for one in found]


def waiting_of(application: Application) -> Waiting | None:
    """Return what the application waits for."""
    if application.duplicate_of_id is not None:
        return None
    done = done_for(application.campaign, [application])[application.pk]
    return waits_for(Stage(application.stage), done)


def next_stages(application: Application) -> tuple[Stage, ...]:
    """Return where a lead can move the application from where it is."""
    if application.duplicate_of_id is not None:
        return ()
    came_from = Stage(application.came_from) if application.came_from else None
    allowed = moves_from(Stage(application.stage), came_from)
    if application.stage == Stage.UNCONFIRMED:
        return tuple(stage for stage in allowed if stage not in WAY)
    if application.stage in WAY and application.campaign.requires_qualification:
        return tuple(stage for stage in allowed if stage not in BY_DECISION)
    return allowed


def targets_of(campaign: Campaign, facts: Recruitment) -> list[targets.Target]:
    """Return applicants, pass rate and days to hire beside their targets."""
    applied = _on_board(campaign).filter(confirmed_at__isnull=False)
    passed, ended = _quiz_counts(campaign)
    return [
        targets.applicants(applied.count(), facts.target_applicants),
        targets.pass_rate(passed, ended, facts.target_pass_percent),
        targets.days_to_hire(_days_to_hire(campaign), facts.target_days_to_hire),
    ]


def _on_board(campaign: Campaign) -> QuerySet[Application]:
    return Application.objects.filter(
        campaign=campaign, stage__in=[stage.value for stage in ON_THE_BOARD], duplicate_of__isnull=True
    )


def _quiz_counts(campaign: Campaign) -> tuple[int, int]:
    """Return how many passed, and how many ended the quiz by passing or by failing the last try."""
    tries = QuizAttempt.objects.filter(application=OuterRef("pk"), finished_at__isnull=False)
    found = _on_board(campaign).annotate(
        passed=Exists(tries.filter(has_passed=True)),
        ended=Exists(tries.filter(Q(has_passed=True) | Q(number=TRIES))),
    )
    return found.filter(passed=True).count(), found.filter(ended=True).count()


def _days_to_hire(campaign: Campaign) -> list[float]:
    hired = _on_board(campaign).annotate(
        applied_at=Min("events__at", filter=Q(events__to_stage=Stage.APPLIED)),
        active_at=Min("events__at", filter=Q(events__to_stage=Stage.ACTIVE)),
    )
    spans = hired.filter(active_at__isnull=False).values_list(F("active_at") - F("applied_at"), flat=True)
    return [span.total_seconds() / SECONDS_A_DAY for span in spans]


def _words(event: ApplicationEvent) -> str:
    try:
        return open_text(event.why)
    except TextErasedError:
        return "erased"
