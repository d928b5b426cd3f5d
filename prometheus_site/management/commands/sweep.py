"""Look after what nobody is looking at: expired leases, lost imports, new samples, anchors."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import close_old_connections

from annotation.assignment.planning import replan_where_needed
from annotation.assignment.queue import release_expired_leases
from annotation.assignment.repeats import wake_repeats
from annotation.assignment.sittings import end_idle
from annotation.checkpoints.services import look_after_looks, sign_reports
from annotation.dangerous.services import open_all_cases, open_recent_cases
from annotation.intake.services import take_in_waiting_imports
from annotation.qualification.admissions import close_expired
from annotation.recruitment.advance import advance_all
from annotation.recruitment.mail import send_waiting
from annotation.recruitment.services import discard_abandoned_drafts
from annotation.screening.services import finish_overdue_attempts
from annotation.selection.services import requeue_lost_selections
from datasets_app.importing.services import discard_abandoned_uploads, requeue_lost_imports
from datasets_app.runs.services import requeue_lost_runs
from prometheus_site.audit.services import anchor_heads

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sweep:
    """One thing to look after, and how often."""

    name: str
    every_seconds: int
    run: Callable[[], object]


SWEEPS = (
    Sweep("samples from finished imports", 5, take_in_waiting_imports),
    Sweep("dangerous disagreement among the latest labels", 10, open_recent_cases),
    Sweep("dangerous disagreement among all labels", 3600, open_all_cases),
    Sweep("lost imports", 30, requeue_lost_imports),
    Sweep("lost runs of phase 1", 30, requeue_lost_runs),
    Sweep("lost selections of samples", 30, requeue_lost_selections),
    Sweep("expired leases", 60, release_expired_leases),
    Sweep("sittings of people who went away", 60, end_idle),
    Sweep("licences that ran out", 60, close_expired),
    Sweep("plans that became uneven", 60, replan_where_needed),
    Sweep("silent repeats that are due", 60, wake_repeats),
    Sweep("looks that may be due", 60, look_after_looks),
    Sweep("reports to sign", 5, sign_reports),
    Sweep("e-mails to applicants", 5, send_waiting),
    Sweep("quizzes whose time is over", 30, finish_overdue_attempts),
    Sweep("applications that go on", 30, advance_all),
    Sweep("applications that nobody sent", 3600, discard_abandoned_drafts),
    Sweep("anchor", 180, anchor_heads),
    Sweep("abandoned uploads", 3600, discard_abandoned_uploads),
)
TICK_SECONDS = 1


class Command(BaseCommand):
    help = "Run every sweep once, or for ever with --forever. Safe to run twice at the same time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--forever", action="store_true", help="keep sweeping until stopped")

    def handle(self, *args: Any, forever: bool, **options: Any) -> None:
        due = dict.fromkeys(SWEEPS, 0.0)
        while True:
            ready = [sweep for sweep in SWEEPS if time.monotonic() >= due[sweep]]
            failed = [sweep.name for sweep in ready if not has_swept(sweep)]
            if not forever:
                if failed:
                    raise CommandError(f"These sweeps failed, see the log: {', '.join(failed)}.")
                return
            due |= {sweep: time.monotonic() + sweep.every_seconds for sweep in ready}
            time.sleep(TICK_SECONDS)
            close_old_connections()  # one that a restart of the database broke is not used again


def has_swept(sweep: Sweep) -> bool:
    """Run one sweep; False when it failed. Whatever it met, the others have their turn."""
    try:
        sweep.run()
    except Exception:
        # The database may be restarting, a disk full, a key missing: say so and come back at its next turn.
        logger.warning("a sweep failed", exc_info=True, extra={"action": sweep.name})
        return False
    return True
