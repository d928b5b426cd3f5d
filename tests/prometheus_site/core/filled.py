"""A database in which every append-only table has a row, and looks at its rows."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import time_machine
from django.utils import timezone
from psycopg import sql

from annotation.blindness import record_campaign_labels_read
from annotation.checkpoints.freezing import freeze_due_looks
from annotation.checkpoints.services import declare_first_looks, sign_reports
from annotation.dangerous.policy import default_hours
from annotation.dangerous.services import answer_case, change_matrix
from annotation.labelling.services import undo_label
from annotation.labelling.unlabelled import flag_sample
from annotation.models import (
    Activity,
    CalibrationGold,
    Campaign,
    DangerCase,
    EndRequest,
    FlagKind,
    PaidRole,
    PickReason,
    SamplePick,
    SampleSelection,
)
from annotation.pay.services import close_month, correct_pay, record_heartbeat, set_rate, set_terms
from annotation.pay.spans import Month
from annotation.recruitment.stages import Stage
from annotation.rights.services import withdraw_labels
from annotation.screening.services import answer_question, start_attempt
from annotation.wellbeing.exposure import note_opened
from annotation.wellbeing.services import check_in
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import anchor_heads, record_access
from prometheus_site.core import sealing
from tests import people
from tests.annotation.recruitment.applying import applied, recruit
from tests.annotation.worlds import label, make_campaign


def fill() -> Campaign:
    """Store a label with a note, its correction's neighbours, an access event and an anchor."""
    lead, annotator = people.make("lead", Role.LEAD), people.make("annotator", Role.ANNOTATOR)
    campaign = make_campaign(lead, [annotator], samples=2, labels_per_sample=1)
    label(campaign, annotator, 1, note="She said this in confidence.")
    record_access(actor=lead, action=Action.VIEWED, obj_type="sample", obj_id="1")
    anchor_heads()
    return campaign


def fill_every_table() -> None:
    """Store also what else can be said of a sample, what was read and opened, and a look with its report."""
    campaign = fill()
    annotator = User.objects.get(email__startswith="annotator")
    undone = label(campaign, annotator, 2, locks=False)
    undo_label(annotator=annotator, label=undone)
    flag_sample(
        annotator=annotator, assignment=undone.assignment, kind=FlagKind.OTHER, words="", key=uuid.uuid4()
    )
    note_opened(annotator, undone.assignment_id)
    check_in(user=annotator, answers={"mood": "3", "words": ""})
    _disagree_dangerously(campaign)
    pay_for(campaign, annotator)
    _recruit_somebody(campaign)
    CalibrationGold.objects.create(
        sample=undone.sample,
        dimension="crisis_intensity",
        answer="0",
        because=sealing.seal("By C1.", sealing.SITE_SCOPE),
        settled_by=annotator,
        place=1,
    )
    lead = User.objects.get(email__startswith="lead")
    record_campaign_labels_read(reader=lead, campaign=campaign)
    _freeze_end(lead, annotator)
    _take_consent_back(lead, annotator)
    _select(campaign)


def _select(campaign: Campaign) -> None:
    """Say of a sample why it was picked."""
    selection = SampleSelection.objects.create(
        campaign=campaign, dataset="final_dataset", build_id="0" * 64, seed=1, report={}
    )
    SamplePick.objects.create(
        sample=campaign.samples.all()[0],
        selection=selection,
        reason=PickReason.RANDOM,
        category="suicidality",
        difficulty="agreed",
        origin="priority",
        scores={},
        inclusion_probability=0.1,
        content_hash="sha256:" + "0" * 64,
    )


def _take_consent_back(lead: User, annotator: User) -> None:
    """Withdraw a label in a campaign of its own."""
    campaign = make_campaign(lead, [annotator], samples=1, slug="taken-back", labels_per_sample=1)
    label(campaign, annotator, 1)
    withdraw_labels(clinician=annotator, campaign=campaign, because="asked by letter")


def _freeze_end(lead: User, annotator: User) -> None:
    """Store the report of the end of a campaign of its own, which has overlap."""
    second = people.make("second-annotator", Role.ANNOTATOR)
    campaign = make_campaign(lead, [annotator, second], samples=1, slug="looked-at")
    declaration = declare_first_looks(campaign=campaign)
    assert declaration is not None
    EndRequest.objects.create(look=declaration.looks.get(), requested_by=lead)
    freeze_due_looks(campaign)
    sign_reports()


def _disagree_dangerously(campaign: Campaign) -> None:
    lead = User.objects.get(email__startswith="lead")
    change_matrix(campaign=campaign, hours=default_hours(), because="tried out", made_by=lead)
    lower, higher = campaign.labels.order_by("created_at")[:2]
    now = timezone.now()
    case = DangerCase.objects.create(
        campaign=campaign,
        sample=lower.sample,
        lower=lower,
        higher=higher,
        opened_at=now,
        due_at=now + timedelta(hours=1),
    )
    answer_case(case=case, level=3, reason="Clause C3.", answered_by=lead)


def pay_for(campaign: Campaign, annotator: User) -> None:
    """Store time, terms, a rate, a correction and a closed month."""
    lead = User.objects.get(email__startswith="lead")
    with time_machine.travel(datetime(2026, 1, 15, 12, tzinfo=UTC), tick=False):
        record_heartbeat(
            person=annotator,
            campaign=campaign,
            key=uuid.uuid4(),
            active_seconds=60,
            activity=Activity.LABELLING,
        )
        set_terms(campaign=campaign, time_zone="UTC", currency="EUR", floor_per_hour=Decimal(40), set_by=lead)
        set_rate(
            campaign=campaign,
            role=PaidRole.ANNOTATOR,
            per_hour=Decimal(60),
            valid_from=date(2026, 1, 1),
            set_by=lead,
        )
        correct_pay(
            campaign=campaign,
            person=annotator,
            amount=Decimal(5),
            reason="A form was lost.",
            key=uuid.uuid4(),
            made_by=lead,
        )
    close_month(campaign=campaign, month=Month(date(2026, 1, 1)), closed_by=lead)


def _recruit_somebody(campaign: Campaign) -> None:
    """Take an application as far as an answer in the quiz."""
    lead = User.objects.get(email__startswith="lead")
    recruit(campaign, lead)
    mara = applied(campaign).moved(Stage.SCREENING, lead)
    attempt = start_attempt(mara.application)
    answer_question(attempt=attempt, question="slip", chosen="c")


def rows_of(table: str) -> sql.Composed:
    """Return a query for the number of rows of a table and a digest of all that they hold."""
    query = "SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM {} AS t"
    return sql.SQL(query).format(sql.Identifier(table))
