"""Write what a campaign's public page says, and whether it takes applications."""

from django.db import transaction
from django.utils import timezone

from annotation.models import Campaign, Recruitment
from annotation.recruitment.services import RecruitmentRefusedError
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access


@transaction.atomic
def save_facts(*, facts: Recruitment, changed_by: User) -> None:
    """Keep the facts; the history table keeps what they were before."""
    facts.changed_by, facts.changed_at = changed_by, timezone.now()
    facts.save()
    _record(facts, changed_by)


@transaction.atomic
def set_open(*, campaign: Campaign, is_open: bool, changed_by: User) -> None:
    """Open or close recruiting. Raises RecruitmentRefusedError while there is no page to open."""
    facts = Recruitment.objects.select_for_update().filter(campaign=campaign).first()
    if facts is None:
        raise RecruitmentRefusedError("Write the public page first, what the work pays included.")
    facts.is_open, facts.changed_by, facts.changed_at = is_open, changed_by, timezone.now()
    facts.save(update_fields=["is_open", "changed_by", "changed_at"])
    _record(facts, changed_by)


def _record(facts: Recruitment, changed_by: User) -> None:
    record_access(
        actor=changed_by, action=Action.CHANGED, obj_type="recruitment", obj_id=str(facts.campaign_id)
    )
