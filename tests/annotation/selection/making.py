"""Selection runs in any state."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from annotation.models import Campaign, SelectionRun
from annotation.selection.services import start_selection
from datasets_app.models import RunState
from prometheus_site.accounts.models import User

COUNT, SEED = 40, 1


def waiting_run(campaign: Campaign, user: User, count: int = COUNT) -> SelectionRun:
    return start_selection(campaign=campaign, count=count, seed=SEED, user=user)


def run_in(state: RunState, campaign: Campaign, user: User, **changes: Any) -> SelectionRun:
    """Return a run that has come to this state."""
    run = waiting_run(campaign, user)
    SelectionRun.objects.filter(pk=run.pk).update(**(_fields(state) | changes))
    run.refresh_from_db()
    return run


def furnish_run(campaign: Campaign, user: User, state: RunState, **facts: Any) -> SelectionRun:
    """Leave a run in this state that no worker and no sweeper takes up, whatever samples there are."""
    asked: dict[str, Any] = {"count": 5_000, "seed": SEED, "started_by": user, **_fields(state)}
    tomorrow = timezone.now() + timedelta(days=1)
    return SelectionRun.objects.create(campaign=campaign, **asked | {"heartbeat_at": tomorrow} | facts)


def _fields(state: RunState) -> dict[str, Any]:
    fields: dict[str, Any] = {"state": state, "started_at": timezone.now(), "heartbeat_at": timezone.now()}
    if state not in (RunState.QUEUED, RunState.RUNNING):
        fields["finished_at"] = timezone.now()
    if state == RunState.FAILED:
        fields["problem"] = "This installation has no verified dataset. Let phase 1 run here."
    return fields
