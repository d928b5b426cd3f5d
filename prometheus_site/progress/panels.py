"""The lead's board: campaigns, data, training and serving, each saying honestly what is not there."""

import importlib.util
import platform
from collections.abc import Sequence
from dataclasses import dataclass

import django
from django.db import connection
from django.db.models import Model
from django.urls import reverse

from datasets_app.importing import selectors as data
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent, Anchor, ChainEntry
from prometheus_site.core.installation import is_demo
from prometheus_site.progress.selectors import CampaignStanding, campaign_standings

IMPORTS_SHOWN = 5


@dataclass(frozen=True)
class Row:
    """One line of a panel: a name, a value, and the address of what is behind it."""

    label: str
    value: str
    url: str = ""


@dataclass(frozen=True)
class Panel:
    """One part of the system on the board; ``notice`` says what is not there."""

    key: str
    title: str
    icon: str
    rows: Sequence[Row] = ()
    notice: str = ""
    links: Sequence[Row] = ()


@dataclass(frozen=True)
class Board:
    """What one person finds on the board; ``standings`` is None for whoever leads no campaigns by role."""

    standings: Sequence[CampaignStanding] | None
    panels: Sequence[Panel]


def board_for(user: User) -> Board:
    """Return the board as far as this person may see it."""
    panels = [_data(user), _training(), _serving()]
    if user.has_role(Role.ENGINEER):
        panels.append(_system())
    return Board(campaign_standings(user) if user.has_role(Role.LEAD) else None, panels)


def _data(user: User) -> Panel:
    imports = data.imports_visible_to(user).order_by("-created_at")[:IMPORTS_SHOWN]
    sources, conversations = data.sources_visible_to(user), data.conversations_of(user)
    rows = [
        Row("Sources", str(sources.count()), reverse("data:sources")),
        Row("Conversations", str(conversations.count()), reverse("data:conversations")),
        *(
            Row(
                f"{job.file_name}: {job.get_state_display().lower()}",
                f"{job.kept_count} kept, {job.rejected_count} rejected",
                reverse("data:import", args=[job.pk]),
            )
            for job in imports
        ),
    ]
    links = [Row("Phase 1: the dataset", "", reverse("runs:list"))]
    if user.has_role(Role.LEAD):
        links.insert(0, Row("Import conversations", "", reverse("data:upload")))
    notice = "" if imports else "Nothing has been imported yet."
    return Panel("data", "Data", "database", rows, notice, links)


def _training() -> Panel:
    return Panel(
        "training",
        "Training",
        "cpu",
        [Row("Training runs", "NOT MEASURED"), Row("PyTorch", _presence("torch"))],
        "No training run yet. Training is not part of this version.",
    )


def _serving() -> Panel:
    return Panel(
        "serving",
        "Serving",
        "server",
        [Row("Deployed models", "NOT MEASURED"), Row("Triton client", _presence("tritonclient"))],
        "No model is served yet. Serving is not part of this version.",
    )


def _presence(package: str) -> str:
    return "installed" if importlib.util.find_spec(package) else "not installed"


def _system() -> Panel:
    last_anchor = Anchor.objects.order_by("-sequence").first()
    rows = [
        Row("Python", platform.python_version()),
        Row("Django", django.get_version()),
        Row("PostgreSQL", _postgresql_version()),
        Row("Kind of installation", "demonstration" if is_demo() else "production"),
        _rows_of("Access events", AccessEvent),
        _rows_of("Chain entries", ChainEntry),
        _rows_of("Anchors", Anchor),
        Row("Last anchor", f"{last_anchor.anchored_at:%Y-%m-%d %H:%M} UTC" if last_anchor else "none yet"),
    ]
    return Panel("system", "System", "settings", rows)


def _rows_of(label: str, model: type[Model]) -> Row:
    meta = model._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return Row(label, str(model._default_manager.count()), address)


def _postgresql_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version: str = cursor.fetchone()[0]
    return version
