"""Open cases of dangerous disagreement, answer them, change what counts as dangerous."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from annotation.dangerous import policy
from annotation.dangerous.selectors import hours_of, latest_matrix, standing_labels
from annotation.labelling.selectors import scheme_of
from annotation.models import Campaign, CampaignState, CostMatrix, DangerAnswer, DangerCase, Label
from annotation.schemes import severity
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core import sealing

LOOKED_BACK_MINUTES = 15  # a label may have been on its way while the last look was taken


class DangerRefusedError(Exception):
    """The matrix or the answer was refused; the text says why."""


@dataclass(frozen=True)
class _Rated:
    label: UUID
    level: int
    at: datetime


def open_recent_cases() -> int:
    """Open cases for what the labels of the last minutes brought about; return how many."""
    return _open_cases(since=timezone.now() - timedelta(minutes=LOOKED_BACK_MINUTES))


def open_all_cases() -> int:
    """Open cases for every label there is, whatever an earlier look has missed; return how many."""
    return _open_cases(since=None)


def answer_case(*, case: DangerCase, level: int | None, reason: str, answered_by: User) -> DangerAnswer:
    """Close a case with a senior's judgement; it changes no label. Raises DangerRefusedError."""
    if not reason.strip():
        raise DangerRefusedError("Say in a sentence what decided it. Nothing was saved yet.")
    with transaction.atomic():
        sealed = sealing.seal(reason.strip(), f"clinician:{answered_by.pk}")
        made, is_new = DangerAnswer.objects.get_or_create(
            case=case, defaults={"level": level, "reason": sealed, "answered_by": answered_by}
        )
        if not is_new:
            raise DangerRefusedError("Somebody has answered this case already; that answer stands.")
        record_access(actor=answered_by, action=Action.CHANGED, obj_type="danger_case", obj_id=str(case.pk))
        answer: DangerAnswer = made
        return answer


def change_matrix(*, campaign: Campaign, hours: policy.Hours, because: str, made_by: User) -> CostMatrix:
    """Store another version of the matrix; it holds for cases to come. Raises DangerRefusedError."""
    if missing := policy.faults(hours):
        low, high = missing[0]
        raise DangerRefusedError(
            f"Levels {low} and {high} are never an ordinary difference. Choose how soon a senior answers."
        )
    with transaction.atomic():
        Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        top = campaign.cost_matrices.aggregate(top=Max("number"))["top"] or 0
        made: CostMatrix = CostMatrix.objects.create(
            campaign=campaign,
            number=top + 1,
            hours={f"{low}-{high}": count for (low, high), count in hours.items() if count},
            because=because,
            made_by=made_by,
        )
        record_access(actor=made_by, action=Action.CHANGED, obj_type="cost_matrix", obj_id=str(made.pk))
        return made


def _open_cases(*, since: datetime | None) -> int:
    campaigns = Campaign.objects.exclude(state=CampaignState.DRAFT).order_by("created_at")
    asking = [each for each in campaigns if severity.severe_codes(scheme_of(each))]
    return sum(_open_cases_in(campaign, since) for campaign in asking)


def _open_cases_in(campaign: Campaign, since: datetime | None) -> int:
    labels = standing_labels(campaign)
    if since is not None:
        labels = labels.filter(
            sample__in=Label.objects.filter(campaign=campaign, created_at__gte=since).values("sample")
        )
    level = KeyTextTransform(severity.CRISIS, "answers")
    rows = labels.annotate(level=level).values_list("sample", "pk", "level", "created_at")
    by_sample: dict[UUID, list[_Rated]] = defaultdict(list)
    for sample, label, code, at in rows:
        if code is not None and code.isdigit() and int(code) in policy.LEVELS:
            by_sample[sample].append(_Rated(label, int(code), at))
    return _store(campaign, by_sample.items())


def _store(campaign: Campaign, rated: Iterable[tuple[UUID, Collection[_Rated]]]) -> int:
    matrix = latest_matrix(campaign)
    hours, now = hours_of(matrix), timezone.now()
    made = []
    for sample, labels in rated:
        found = policy.most_dangerous([each.level for each in labels], hours)
        if found is None:
            continue
        (low, high), within = found
        first = {each.level: each for each in sorted(labels, key=lambda each: each.at, reverse=True)}
        made.append(
            DangerCase(
                campaign=campaign,
                sample_id=sample,
                lower_id=first[low].label,
                higher_id=first[high].label,
                matrix=matrix,
                opened_at=now,
                due_at=now + timedelta(hours=within),
            )
        )
    # One case a sample, and another one only where a later label makes it more urgent.
    cases = DangerCase.objects.filter(sample__in=[case.sample_id for case in made])
    tightest: dict[UUID, timedelta] = {}
    for sample, opened_at, due_at in cases.values_list("sample", "opened_at", "due_at"):
        tightest[sample] = min(due_at - opened_at, tightest.get(sample, timedelta.max))
    fresh = [
        case for case in made if case.due_at - case.opened_at < tightest.get(case.sample_id, timedelta.max)
    ]
    # Two looks at the same moment open each case once.
    DangerCase.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)
