"""An applicant who passed the quiz, and what brings that person on to the first label."""

import re

from django.core import mail as outbox

from annotation.models import Assignment, Campaign, Outcome, Purpose
from annotation.qualification.services import decide
from annotation.recruitment.mail import send_waiting
from annotation.recruitment.stages import Stage
from annotation.recruitment.taking_in import take_in
from prometheus_site.accounts.models import User
from prometheus_site.accounts.services import accept_invitation
from tests import people
from tests.annotation.planned import give
from tests.annotation.recruitment.applying import Stranger, applied

INVITATION = re.compile(r"/invitation/([^/\s]+)/")


def passed_quiz(campaign: Campaign, lead: User) -> Stranger:
    return applied(campaign).moved(Stage.SCREENING, lead).moved(Stage.CALIBRATION, lead)


def invitation_of(mara: Stranger) -> str:
    """Send what waits; return the token of the newest invitation to the address."""
    send_waiting()
    bodies = [str(sent.body) for sent in outbox.outbox if sent.to == [mara.email]]
    return [found.group(1) for body in bodies if (found := INVITATION.search(body))][-1]


def with_account(mara: Stranger) -> User:
    return accept_invitation(token=invitation_of(mara), password=people.PASSWORD, display_name="Mara Licht")


def taken_in(mara: Stranger, lead: User) -> User:
    """Let somebody who has an account into the campaign."""
    return take_in(application=mara.application, by=lead, why="Passed the quiz.")


def calibrate(campaign: Campaign, person: User) -> None:
    """Label the calibration samples that are asked of the person now."""
    for slot in Assignment.objects.filter(
        annotator=person, purpose=Purpose.CALIBRATION, state="waiting"
    ).select_related("annotator"):
        give(campaign, slot)


def decided(campaign: Campaign, person: User, lead: User, outcome: Outcome) -> None:
    decide(campaign=campaign, clinician=person, outcome=outcome, because="As it stands.", decided_by=lead)
