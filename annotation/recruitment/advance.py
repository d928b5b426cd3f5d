"""Move applications along when something was done, in the transaction in which it was done."""

from django.db import transaction
from django.utils import timezone

from annotation.campaigns.members import add_member, end_membership, locked_campaign, set_pause
from annotation.models import Application, Campaign, Outcome
from annotation.recruitment import selectors, services
from annotation.recruitment.evidence import done_for, people_of
from annotation.recruitment.progress import steps_from
from annotation.recruitment.stages import BY_DECISION, ENDED, WAY, Stage, moves_from
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role

REFUSED = (Stage.DECLINED, Stage.LEFT)  # where a refusal leads: who was active has left
OUT = (Stage.LEFT, Stage.PAUSED)  # where being taken out leads: who was never active may be put back


def advance(*, person: User, by: User | None) -> None:
    """Take the person's applications as far as what was done carries them; what is aside waits there.

    Never backwards, and again changes nothing. Call it last in the transaction of whatever was done, after
    every lock on campaigns.
    """
    for application in selectors.applications_of(person).filter(stage__in=WAY).order_by("pk"):
        _go_on(application, by)


def follow_decision(*, campaign: Campaign, person: User, outcome: Outcome, by: User) -> None:
    """Let the person's application follow a decision on the qualification. Call with the campaign locked."""
    own = selectors.applications_of(person).filter(campaign=campaign)
    newest = own.order_by("-submitted_at").first()
    if newest is None:
        return
    locked = services.locked_application(newest)
    came_from = Stage(locked.came_from) if locked.came_from else None
    if outcome == Outcome.REFUSED:
        allowed = moves_from(Stage(locked.stage), came_from)
        if to := next((stage for stage in REFUSED if stage in allowed), None):
            services.move(locked, to, by, "Decided: refused.")
        return
    if locked.stage in REFUSED and came_from is not None:
        services.move(locked, came_from, by, f"Decided again: {outcome.label.lower()}.")
    _go_on(locked, by)


def follow_membership(*, campaign: Campaign, person: User, by: User) -> None:
    """Let the person's application follow what became of the person's part in the campaign.

    Who rests or was taken out pauses, who was active and taken out has left, who is back goes on where the
    application stood. Call with the campaign locked.
    """
    own = selectors.applications_of(person).filter(campaign=campaign).order_by("-submitted_at")
    found = own.exclude(stage__in=ENDED).first() or own.first()
    if found is None:
        return
    locked = services.locked_application(found)
    came_from = Stage(locked.came_from) if locked.came_from else None
    allowed = moves_from(Stage(locked.stage), came_from)
    member = campaign.members.filter(user=person, left_at__isnull=True).first()
    if member is None:
        if to := next((stage for stage in OUT if stage in allowed), None):
            services.move(locked, to, by, "Taken out of the campaign.")
    elif member.paused_at is not None:
        if Stage.PAUSED in allowed:
            services.move(locked, Stage.PAUSED, by, "Rests from the campaign.")
    elif locked.stage in OUT and came_from is not None:
        services.move(locked, came_from, by, "Takes part in the campaign again.")
        _go_on(locked, by)


@transaction.atomic
def move_by_hand(*, application: Application, to: Stage, by: User | None, why: str) -> None:
    """Move an application as somebody says, and on from there by what was done already.

    The person's part in the campaign follows. Nobody in ``by`` means the applicant. Raises MoveRefusedError.
    """
    campaign = locked_campaign(application.campaign)
    if to in BY_DECISION and application.stage in WAY and campaign.requires_qualification:
        raise services.MoveRefusedError(
            "Decide on the person's qualification: the application follows by itself."
        )
    services.move(application, to, by, why)
    _follow_in_campaign(campaign, application, by)
    _go_on(application, by)


def advance_all() -> int:
    """Look at every application on the way from calibration on, and return how many went on; for the sweeper.

    The last calibration label, a campaign that opens: what no service here is told of.
    """
    first, last = WAY.index(Stage.CALIBRATION), WAY.index(Stage.ACTIVE)
    under_way = Application.objects.filter(stage__in=WAY[first:last], duplicate_of__isnull=True)
    gone = 0
    for campaign in Campaign.objects.filter(pk__in=under_way.values("campaign")).order_by("pk"):
        found = list(
            under_way.filter(campaign=campaign).select_related("data_key", "invitation__accepted_by")
        )
        done = done_for(campaign, found)
        for application in found:
            if steps_from(Stage(application.stage), done[application.pk]):
                with transaction.atomic():
                    gone += _go_on(application, None)
    return gone


def _go_on(application: Application, by: User | None) -> bool:
    # Locked first, looked at then: of two things done at the same moment, the later one sees both.
    locked = services.locked_application(application)
    done = done_for(locked.campaign, [locked])[locked.pk]
    steps = steps_from(Stage(locked.stage), done)
    services.go_through(application=locked, steps=steps, by=by)
    return bool(steps)


def _follow_in_campaign(campaign: Campaign, application: Application, by: User | None) -> None:
    """Let who was taken in rest, leave or come back as the application does.

    Not by one whose address nobody confirmed, nor by a second one: a stranger may have written that.
    """
    if application.confirmed_at is None or application.duplicate_of_id is not None:
        return
    person = people_of([application]).get(application.pk)
    if person is None or not person.has_role(Role.ANNOTATOR):
        return
    member = campaign.members.filter(user=person).order_by("-joined_at").first()
    if member is None:
        return
    if application.stage in ENDED:
        end_membership(campaign=campaign, member=member, ended_by=by)
    elif application.stage == Stage.PAUSED:
        set_pause(campaign=campaign, member=member, since=timezone.now(), by=by)
    elif member.left_at is None:
        set_pause(campaign=campaign, member=member, since=None, by=by)
    elif by is not None:
        add_member(campaign=campaign, person=person, hours_per_week=member.hours_per_week, added_by=by)
