"""Read how far a person has come with the training."""

import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Min

from annotation.learning.content import Module, modules
from annotation.models import ModuleAttempt
from prometheus_site.accounts.models import User


@dataclass(frozen=True)
class Progress:
    """A module and when the person completed it, None while it is to be done."""

    module: Module
    completed_at: datetime | None


def progress_of(learner: User) -> list[Progress]:
    """Return every module in order; a module completed once stays completed when its text changes."""
    all_right = ModuleAttempt.objects.filter(learner=learner, right=F("questions"))
    completed = dict(all_right.order_by().values_list("module").annotate(Min("answered_at")))
    return [Progress(module, completed.get(module.key)) for module in modules()]


def modules_to_do(learner: User) -> list[Module]:
    """Return the modules that the person has not completed."""
    return [one.module for one in progress_of(learner) if one.completed_at is None]


def completed_by(people: Collection[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """Return the keys of the modules that each of these people has completed."""
    all_right = ModuleAttempt.objects.filter(learner__in=people, right=F("questions"))
    found: dict[uuid.UUID, set[str]] = defaultdict(set)
    for learner, module in all_right.values_list("learner_id", "module").distinct():
        found[learner].add(module)
    return found
