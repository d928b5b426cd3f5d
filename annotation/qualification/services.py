"""Record licences and decide on people; each is an addition that nothing takes back."""

import re
import zoneinfo
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from annotation.learning.selectors import modules_to_do
from annotation.models import Campaign, Label, Licence, Outcome, Purpose, QualificationDecision
from annotation.qualification import admissions
from annotation.qualification.calibration import is_settled
from annotation.qualification.facts import checked_licences, unsigned_by
from annotation.qualification.gate import ADMITTED, end_of_day
from annotation.recruitment.advance import advance, follow_decision
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core import sealing

LICENCE_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]{1,38}[A-Za-z0-9]")
LONGEST_LICENCE_YEARS = 20


class QualificationError(Exception):
    """This cannot be recorded; the text says why and what to do."""


class LicenceRefusedError(QualificationError):
    """What was given is no licence that holds."""


class DecisionRefusedError(QualificationError):
    """The decision cannot be made now."""


def person_scope(person: User) -> str:
    """Return the scope of the key for what identifies a clinician; destroyed, all of it is unreadable."""
    return f"clinician:{person.pk}"


def record_licence(
    *,
    clinician: User,
    number: str,
    jurisdiction: str,
    expires_on: date,
    time_zone: str,
    recorded_by: User,
    is_checked: bool,
) -> Licence:
    """Record a licence: as the clinician tells it, or as it was found in the register, which opens the gate.

    Nobody checks their own. Raises LicenceRefusedError.
    """
    if is_checked and recorded_by == clinician:
        raise LicenceRefusedError("Nobody checks their own licence. Ask another lead to do it.")
    ends_at = _end_of(number, expires_on, time_zone)
    with transaction.atomic():
        campaigns = admissions.locked_campaigns_of(clinician)
        recorded: Licence = Licence.objects.create(
            clinician=clinician,
            number=sealing.seal(number.strip(), person_scope(clinician)),
            jurisdiction=jurisdiction.strip(),
            expires_on=expires_on,
            time_zone=time_zone,
            ends_at=ends_at,
            is_checked=is_checked,
            recorded_by=recorded_by,
            recorded_at=timezone.now(),
        )
        record_access(actor=recorded_by, action=Action.CREATED, obj_type="licence", obj_id=str(recorded.pk))
        if is_checked:
            admissions.refresh_everywhere(
                campaigns, clinician, because=f"licence of {clinician.code} checked"
            )
            advance(person=clinician, by=recorded_by)
        return recorded


def decide(
    *, campaign: Campaign, clinician: User, outcome: Outcome, because: str, decided_by: User
) -> QualificationDecision:
    """Decide on a person's part in the campaign; what the person may be given follows at once.

    Raises DecisionRefusedError when something that the outcome needs is missing.
    """
    if not because.strip():
        raise DecisionRefusedError("Say in a sentence why. Nothing was decided yet.")
    if decided_by == clinician:
        raise DecisionRefusedError("Nobody decides about themselves. Ask another lead.")
    with transaction.atomic():
        admissions.lock_person(clinician)
        locked = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        _refuse_misplaced(locked, clinician)
        if str(outcome) in ADMITTED:
            _refuse_unready(clinician)
        if outcome == Outcome.QUALIFIED and not is_settled(locked):
            raise DecisionRefusedError(
                "The calibration answers are not settled yet. Until they are, a qualification is provisional."
            )
        own = QualificationDecision.objects.filter(campaign=locked, clinician=clinician)
        made: QualificationDecision = QualificationDecision.objects.create(
            campaign=locked,
            clinician=clinician,
            outcome=outcome,
            reading=_next_reading(locked, clinician),
            because=sealing.seal(because.strip(), person_scope(clinician)),
            decided_by=decided_by,
            place=(own.aggregate(top=Max("place"))["top"] or 0) + 1,
        )
        record_access(actor=decided_by, action=Action.CREATED, obj_type="qualification", obj_id=str(made.pk))
        words = f"{clinician.code}: {Outcome(outcome).label.lower()}"
        admissions.refresh(locked, [clinician.pk], because=words, made_by=decided_by)
        follow_decision(campaign=locked, person=clinician, outcome=Outcome(outcome), by=decided_by)
        return made


def _end_of(number: str, expires_on: date, time_zone: str) -> datetime:
    if not LICENCE_NUMBER.fullmatch(number.strip()) or not any(one.isdigit() for one in number):
        raise LicenceRefusedError(
            "That is not a licence number. It has 3 to 40 letters and digits, with at least one digit; "
            "spaces, dots, hyphens and slashes may stand between them."
        )
    if time_zone not in zoneinfo.available_timezones():
        raise LicenceRefusedError("Choose the time zone of the authority that issued the licence.")
    now = timezone.now()
    if expires_on.year > now.year + LONGEST_LICENCE_YEARS:
        raise LicenceRefusedError("No licence is valid for so long. Check the year.")
    ends_at = end_of_day(expires_on, time_zone)
    if ends_at <= now:
        raise LicenceRefusedError(
            f"A licence that expired on {expires_on:%-d %B %Y} opens nothing. Record the renewed one."
        )
    return ends_at


def _refuse_misplaced(campaign: Campaign, clinician: User) -> None:
    if not campaign.requires_qualification:
        raise DecisionRefusedError("This campaign does not require a qualification.")
    is_here = campaign.members.filter(user=clinician, left_at__isnull=True).exists()
    if not is_here or not clinician.has_role(Role.ANNOTATOR):
        raise DecisionRefusedError(
            "Only an annotator of this campaign can be decided on. Add the person first."
        )


def _refuse_unready(clinician: User) -> None:
    missing = []
    if unsigned_by([clinician.pk])[clinician.pk]:
        missing.append("a signed copy of every document")
    licence = checked_licences([clinician.pk]).get(clinician.pk)
    if licence is None or licence.ends_at <= timezone.now():
        missing.append("a checked licence that has not expired")
    if modules_to_do(clinician):
        missing.append("all training modules")
    if missing:
        raise DecisionRefusedError(f"Not decided: {', '.join(missing)} must be there first.")


def _next_reading(campaign: Campaign, clinician: User) -> int:
    """Return which reading of the calibration samples comes next: those labelled are read, and not again."""
    read = Label.objects.filter(
        campaign=campaign, annotator=clinician, assignment__purpose=Purpose.CALIBRATION
    )
    top = read.aggregate(top=Max("assignment__repeat_number"))["top"]
    return 0 if top is None else top + 1
