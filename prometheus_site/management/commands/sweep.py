"""Look after what nobody is looking at: expired leases, lost imports, new samples, anchors."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections

from annotation.assignment.services import release_expired_leases
from annotation.intake.services import take_in_waiting_imports
from datasets_app.importing.services import discard_abandoned_uploads, requeue_lost_imports
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
    Sweep("lost imports", 30, requeue_lost_imports),
    Sweep("expired leases", 60, release_expired_leases),
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
            for sweep in SWEEPS:
                if time.monotonic() >= due[sweep] or not forever:
                    self._run(sweep, is_kept_up=forever)
                    due[sweep] = time.monotonic() + sweep.every_seconds
            if not forever:
                return
            time.sleep(TICK_SECONDS)

    @staticmethod
    def _run(sweep: Sweep, *, is_kept_up: bool) -> None:
        close_old_connections()
        try:
            sweep.run()
        except DatabaseError:
            if not is_kept_up:
                raise
            # The database may be restarting: say so and come back at the next turn.
            logger.warning("sweep failed", exc_info=True, extra={"action": sweep.name})
