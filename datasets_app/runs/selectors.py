"""What the pages of runs show, as far as the person may see it."""

from typing import TYPE_CHECKING

from django.db.models import QuerySet

from datasets_app.models import DatasetRun
from datasets_app.models.worker_run import ACTIVE
from datasets_app.permissions import RUNNERS

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User


def runs_visible_to(user: "User") -> QuerySet[DatasetRun]:
    """Return the runs this person may see, newest first: the choke point of their pages."""
    runs = DatasetRun.objects.select_related("started_by", "cancel_asked_by").order_by("-created_at")
    return runs if user.has_role(*RUNNERS) else runs.none()


def active_run(user: "User") -> DatasetRun | None:
    """Return the run that is waiting or running now."""
    return runs_visible_to(user).filter(state__in=ACTIVE).first()
