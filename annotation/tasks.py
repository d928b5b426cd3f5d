"""Background work of the annotation app; each task takes an id and calls a service."""

from uuid import UUID

from annotation.checkpoints.freezing import freeze_due_looks
from annotation.models import Campaign
from annotation.obstacles.kept import work_out_for
from prometheus_site.celery import app


@app.task
def work_out_findings(campaign_id: str, dimension: str) -> None:
    """Work out what stands between a dimension and its target, and whom to look at."""
    work_out_for(UUID(campaign_id), dimension)


@app.task
def freeze_looks(campaign_id: str) -> None:
    """Freeze the reports of the campaign's looks that were reached."""
    freeze_due_looks(Campaign.objects.get(pk=UUID(campaign_id)))


@app.task
def select_for_campaign(run_id: str) -> None:
    """Carry out one selection, unless it has ended or another worker is in the workspace."""
    # Here, because every web process knows the tasks, and only a selection needs the kernel's compiler.
    from annotation.selection.running import carry_out

    carry_out(UUID(run_id))
