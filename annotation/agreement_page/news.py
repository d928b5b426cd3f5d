"""What is new in a campaign's agreement since it was asked before: computed here, in the streams process."""

import os
import sys
import threading
import time
from collections.abc import Mapping
from uuid import UUID

from threadpoolctl import threadpool_limits

from annotation.agreement.reading import CampaignReader
from annotation.agreement_page.current import version_now
from annotation.agreement_page.page import context_of, dimension_named, rendered_parts
from annotation.dashboard.signs import Signs, signs_of
from annotation.models import Campaign

LOOK_EVERY_SECONDS = 0.25
REST_FACTOR = 2  # computing takes a third of the time at most, however large the campaign is
NICENESS = 10


class AgreementNews:
    """Looks for signs that a label was given, and only then computes and renders; for one thread alone.

    The thread makes way for everybody else on the machine: clinicians save while figures are computed.
    """

    def __init__(self, campaign_id: UUID, dimension: str, *, has_names: bool) -> None:
        self._campaign_id, self._dimension, self._has_names = campaign_id, dimension, has_names
        self._read = CampaignReader()
        self._signs: Signs | None = None
        self._parts: dict[str, str] = {}
        self._rests_until = 0.0  # by the monotonic clock

    def changed_parts(self) -> Mapping[str, str]:
        """Return the HTML that differs from what was returned before, by the id of what it replaces."""
        started = time.monotonic()
        if started < self._rests_until:
            return {}
        signs = signs_of(self._campaign_id)
        if signs == self._signs:
            return {}
        if self._signs is None:
            _make_way()
        campaign = Campaign.objects.get(pk=self._campaign_id)
        dimension = dimension_named(campaign, self._dimension)
        context = context_of(campaign, dimension, has_names=self._has_names, read=self._read)
        parts = rendered_parts(context)
        if context["version"] == version_now(campaign):  # else another computes just now: look again
            self._signs = signs
        self._rests_until = time.monotonic() + REST_FACTOR * (time.monotonic() - started)
        changed = {name: html for name, html in parts.items() if self._parts.get(name) != html}
        self._parts = parts
        return changed


def _make_way() -> None:
    """Lower this thread's claim on the processor, where the system lets a thread have one of its own.

    Linear algebra stays on this thread, too: its helpers claim a processor each as if they were in a hurry.
    """
    threadpool_limits(1)
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
