"""Let one person into a campaign, rest, or leave it; the plan follows."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from annotation.assignment.planning import revise_plan
from annotation.models import Campaign, CampaignMember, CampaignState
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access


def locked_campaign(campaign: Campaign) -> Campaign:
    """Return the campaign as it is now, locked. Call inside a transaction."""
    # NO KEY: saves of labels refer to the campaign and must not wait.
    return Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)


def add_member(*, campaign: Campaign, person: User, hours_per_week: float, added_by: User) -> CampaignMember:
    """Let the person take part; who takes part already stays as they are."""
    with transaction.atomic():
        locked = locked_campaign(campaign)
        member: CampaignMember
        member, is_new = CampaignMember.objects.get_or_create(
            campaign=locked, user=person, left_at=None, defaults={"hours_per_week": hours_per_week}
        )
        if is_new:
            replan(locked, f"{person.code} joined", added_by)
            record_change(locked, added_by)
        return member


def end_membership(*, campaign: Campaign, member: CampaignMember, ended_by: User | None) -> None:
    """Let the person take part no more: the labels given stay, what waits goes to the others."""
    with transaction.atomic():
        locked = locked_campaign(campaign)
        standing = locked.members.select_related("user").get(pk=member.pk)
        if standing.left_at is not None:
            return
        standing.left_at = timezone.now()
        standing.save(update_fields=["left_at"])
        replan(locked, f"{standing.user.code} left", ended_by)
        record_change(locked, ended_by)


def set_pause(*, campaign: Campaign, member: CampaignMember, since: datetime | None, by: User | None) -> None:
    """Let the person rest since then, or take part again where there is no moment."""
    with transaction.atomic():
        locked = locked_campaign(campaign)
        standing = locked.members.select_related("user").get(pk=member.pk)
        if (standing.paused_at is None) == (since is None):
            return
        standing.paused_at = since
        standing.save(update_fields=["paused_at"])
        replan(locked, f"{standing.user.code} {'came back' if since is None else 'paused'}", by)
        record_change(locked, by)


def replan(campaign: Campaign, because: str, made_by: User | None) -> None:
    """Bring the plan of an open campaign up to its people."""
    if campaign.state == CampaignState.OPEN:
        revise_plan(campaign=campaign, because=because, made_by=made_by)


def record_change(campaign: Campaign, changed_by: User | None) -> None:
    """Write down that the campaign was changed, and by whom."""
    record_access(actor=changed_by, action=Action.CHANGED, obj_type="campaign", obj_id=str(campaign.pk))
