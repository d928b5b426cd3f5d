"""Every address × every role and a stranger, generated from the URLconf; an unlisted address fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotation.assignment.services import assign_next
from annotation.models import Campaign
from datasets_app.models import ImportJob, ImportState, Source
from prometheus_site.accounts.models import User
from tests.annotation.worlds import label, make_campaign

ROLES = ("anonymous", "outsider", "annotator", "adjudicator", "lead", "supervisor", "engineer")
EVERYBODY = frozenset(ROLES)
SIGNED_IN = EVERYBODY - {"anonymous"}
LEAD = frozenset({"lead"})
STAFF = frozenset({"lead", "engineer"})
"""Who may GET each address. Everybody else who is signed in finds nothing (404 or, for POST-only, 405 never
without the right); a stranger is sent to the login page."""


@dataclass(frozen=True)
class Rule:
    may: frozenset[str]
    status: frozenset[int] = frozenset({200})
    method: str = "get"
