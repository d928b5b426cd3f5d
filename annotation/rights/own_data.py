"""Everything the site keeps about one person, for that person: nobody else's data is in it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
from django.db.models import QuerySet
from django.utils import timezone

from annotation.labelling import drafts
from annotation.models import (
    Application,
    Assignment,
    Campaign,
    CareLimits,
    CheckIn,
    Draft,
    Exposure,
    Label,
    Licence,
    ModuleAttempt,
    Pass,
    PayCorrection,
    PayStatement,
    QualificationDecision,
    SampleFlag,
    Signature,
    Sitting,
    TopicOptOut,
)
from annotation.pay.selectors import worked_in
from annotation.recruitment.answers import read_unless_erased
from prometheus_site.accounts.models import User
from prometheus_site.core.models import SealedText
from prometheus_site.core.sealing import TextErasedError, open_text

FORMAT = "prometheus own data 1"
Row = dict[str, Any]


def own_data_of(person: User) -> bytes:
    """Return the person's data as JSON, indented, times in UTC."""
    content = _content(person)
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z, default=str)


def _content(person: User) -> Row:
    return {
        "format": FORMAT,
        "made_at": timezone.now(),
        "person": {
            "code": person.code,
            "name": person.display_name,
            "address": person.email,
            "joined_at": person.date_joined,
        },
        "roles": _rows(person.role_grants, "role", "granted_at", "revoked_at"),
        "campaigns": _rows(
            person.memberships,
            "joined_at", "left_at", "paused_at", "hours_per_week",
            campaign="campaign__slug",
        ),
        "labels": list(_labels(person)),
        "drafts": list(_drafts(person)),
        "passes": _rows(
            Pass.objects.filter(assignment__annotator=person),
            "created_at", "taken_back_at",
            campaign="assignment__campaign__slug", sample="assignment__sample__number",
        ),
        "flags": [
            {"sample": one.assignment.sample.number, "kind": one.kind, "words": _opened(one.words)}
            for one in _with_text(SampleFlag.objects.filter(annotator=person), "words", "assignment__sample")
        ],
        "care": _care(person),
        "sittings": _rows(
            Sitting.objects.filter(annotator=person), "started_at", "ended_at", campaign="campaign__slug"
        ),
        "hours": list(_hours(person)),
        "pay": _pay(person),
        "signed_documents": _rows(
            Signature.objects.filter(signer=person),
            "sha256", "signed_at", "confirmed_by",
            document="document__kind", version="document__version",
        ),
        "training": _rows(
            ModuleAttempt.objects.filter(learner=person), "module", "questions", "right", "answered_at"
        ),
        "licences": [
            _plain(one, "jurisdiction", "expires_on", "is_checked", "recorded_at")
            | {"number": _opened(one.number)}
            for one in _with_text(Licence.objects.filter(clinician=person), "number")
        ],
        "qualification": [
            _plain(one, "outcome", "decided_at") | {"because": _opened(one.because)}
            for one in _with_text(QualificationDecision.objects.filter(clinician=person), "because")
        ],
        "applications": [
            _plain(one, "stage", "started_at", "submitted_at") | {"answers": read_unless_erased(one)}
            for one in Application.objects.filter(invitation__accepted_by=person).select_related("data_key")
        ],
        "api_tokens": _rows(person.api_tokens, "name", "created_at", "expires_at", "revoked_at"),
    }  # fmt: skip


def _labels(person: User) -> Iterator[Row]:
    """Yield every label ever given; which of them were silent repeats stays silent."""
    given = Label.objects.filter(annotator=person).select_related(
        "campaign", "sample", "guideline", "note__data_key", "reason__data_key", "undo", "withdrawn", "lock"
    )
    for label in given.order_by("created_at"):
        yield {
            "label": label.pk,
            "campaign": label.campaign.slug,
            "sample": label.sample.number,
            "guideline": label.guideline.version,
            "answers": label.answers,
            "note": _opened(label.note),
            "corrects": label.supersedes_id,
            "reason": _opened(label.reason),
            "active_seconds": label.active_seconds,
            "given_at": label.created_at,
            "is_locked": hasattr(label, "lock"),
            "is_undone": hasattr(label, "undo"),
            "is_withdrawn": hasattr(label, "withdrawn"),
        }


def _drafts(person: User) -> Iterator[Row]:
    for draft in Draft.objects.filter(assignment__annotator=person).select_related("data_key"):
        slot = Assignment.objects.select_related("sample").get(pk=draft.assignment_id)
        unsaved = drafts.draft_of(slot)
        if unsaved is not None:
            yield {"sample": slot.sample.number, "answers": unsaved.answers, "note": unsaved.note}


def _care(person: User) -> Row:
    check_ins = _with_text(CheckIn.objects.filter(user=person).order_by("given_at"), "answers")
    limits = CareLimits.objects.filter(user=person)
    return {
        "limits": _rows(
            limits,
            "minutes_per_day", "severe_per_day", "severe_per_sitting", "break_after_minutes", "time_zone",
        ),
        "topics_not_read": _rows(TopicOptOut.objects.filter(user=person), "topic", "since", "ended_at"),
        "severe_texts_read": _rows(Exposure.objects.filter(annotator=person), "cause", "dose", "read_at"),
        "check_ins": [
            {"given_at": one.given_at, "answers": orjson.loads(words) if words else None}
            for one, words in ((one, _opened(one.answers)) for one in check_ins)
        ],
    }  # fmt: skip


def _hours(person: User) -> Iterator[Row]:
    once = Campaign.objects.filter(members__user=person).distinct().order_by("slug")
    for campaign in once:
        bounds = campaign.created_at - timedelta(days=1), timezone.now()
        for (paid_as, activity), spans in worked_in(campaign, [person.pk], bounds)[person.pk].spans.items():
            yield {
                "campaign": campaign.slug,
                "paid_as": paid_as,
                "activity": activity,
                "spans": [{"from": start, "until": end} for start, end in spans],
            }


def _pay(person: User) -> Row:
    corrections = _with_text(PayCorrection.objects.filter(person=person), "reason")
    return {
        "statements": _rows(
            PayStatement.objects.filter(person=person),
            "month", "lines", "amount", "currency",
            campaign="campaign__slug",
        ),
        "corrections": [
            _plain(one, "amount", "made_at") | {"reason": _opened(one.reason)} for one in corrections
        ],
    }  # fmt: skip


def _rows(found: Any, *names: str, **named: str) -> list[Row]:
    """Return these fields of each row, and those that go by another name here."""
    fields = {name: name for name in names} | named
    rows = found.order_by("pk").values_list(*fields.values())
    return [dict(zip(fields, row, strict=True)) for row in rows]


def _plain(row: Any, *names: str) -> Row:
    return {name: getattr(row, name) for name in names}


def _with_text(rows: QuerySet[Any], text: str, *more: str) -> QuerySet[Any]:
    return rows.select_related(f"{text}__data_key", *more)


def _opened(text: SealedText | None) -> str | None:
    """Return what the person wrote, or what was written about the person; None where it is erased."""
    try:
        return open_text(text) if text else None
    except TextErasedError:
        return None
