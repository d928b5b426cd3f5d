"""Take an applicant into the campaign, to calibrate on the real page."""

from contextlib import suppress
from datetime import date

from django.db import transaction

from annotation.campaigns.members import add_member, locked_campaign
from annotation.models import Application, MailKind, Outcome
from annotation.qualification.admissions import lock_person
from annotation.qualification.services import LicenceRefusedError, decide, record_licence
from annotation.recruitment import answers, mail, services
from annotation.recruitment.evidence import people_of
from annotation.recruitment.stages import WAY, Stage
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.accounts.services import grant_role, revoke_role


class TakingInRefusedError(services.RecruitmentRefusedError):
    """The applicant cannot be taken in now."""


@transaction.atomic
def take_in(*, application: Application, by: User, why: str) -> User:
    """Make an applicant who has an account an annotator and member of the campaign, invited to calibrate.

    The gate still asks for the signatures that come before any text. Raises TakingInRefusedError before the
    quiz is passed or the invitation accepted, and DecisionRefusedError as a decision does.
    """
    person = people_of([application]).get(application.pk)
    if person is None:
        raise TakingInRefusedError("The applicant has not accepted the invitation yet.")
    lock_person(person)
    campaign = locked_campaign(application.campaign)
    locked = services.locked_application(application)
    if locked.stage not in WAY or WAY.index(Stage(locked.stage)) < WAY.index(Stage.CALIBRATION):
        raise TakingInRefusedError("Only who has come as far as the calibration can be taken in.")
    if campaign.members.filter(user=person, left_at__isnull=True).exists():
        return person  # pressed twice
    written = answers.read(locked)
    _become_annotator(person, by)
    add_member(campaign=campaign, person=person, hours_per_week=float(written["hours_per_week"]), added_by=by)
    _tell_of_licence(person, written, by)
    mail.queue(application=locked, kind=MailKind.CALIBRATE, event_number=locked.events.count())
    if campaign.requires_qualification:
        decide(campaign=campaign, clinician=person, outcome=Outcome.CALIBRATE, because=why, decided_by=by)
    return person


def _become_annotator(person: User, by: User) -> None:
    if not person.has_role(Role.ANNOTATOR):
        grant_role(user=person, role=Role.ANNOTATOR, granted_by=by)
    if person.has_role(Role.APPLICANT):
        revoke_role(user=person, role=Role.APPLICANT, revoked_by=by)


def _tell_of_licence(person: User, written: answers.Answers, by: User) -> None:
    """Hand on what the application says of the licence, so that nobody types it again; it is not checked."""
    with suppress(LicenceRefusedError):  # it ended since: the lead asks for the renewed one
        record_licence(
            clinician=person,
            number=written["licence_number"],
            jurisdiction=written["licence_jurisdiction"],
            expires_on=date.fromisoformat(written["licence_expires_on"]),
            time_zone=written["time_zone"],
            recorded_by=by,
            is_checked=False,
        )
