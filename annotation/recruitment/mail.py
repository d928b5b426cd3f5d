"""E-mails to applicants: queued as rows, sent once by the sweeper, or handed over by the lead."""

import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPException

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from annotation.models import Application, MailKind, MailState, OutgoingMail
from annotation.permissions import LEARNERS
from annotation.recruitment import answers, links
from annotation.recruitment.stages import ENDED
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.accounts.services import account_with, invite
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core.installation import sends_mail, site_origin
from prometheus_site.core.sealing import TextErasedError

logger = logging.getLogger(__name__)

# The same for every mail: a subject is read on locked screens and kept in logs of mail servers.
SUBJECT = "[Prometheus] Your application"
SENDING_MINUTES = 10
BATCH_SIZE = 50
RELATED = ("application__data_key", "application__campaign", "application__invitation")
CAN_BE_HANDED_OVER = (MailState.NOT_SENT, MailState.FAILED)


class ApplicationEndedError(Exception):
    """The message would invite somebody whose application has ended since."""


@dataclass(frozen=True)
class Letter:
    """An e-mail as its reader gets it. Its link exists nowhere else."""

    to: str
    subject: str
    body: str


def queue(*, application: Application, kind: MailKind, event_number: int) -> None:
    """Put an e-mail into the queue; the same one is never queued twice."""
    OutgoingMail.objects.get_or_create(application=application, kind=kind, event_number=event_number)


def send_waiting() -> int:
    """Send what waits and return how many went out; for the sweeper. Without a mail server nothing waits."""
    _give_up_interrupted()
    waiting = OutgoingMail.objects.filter(state=MailState.WAITING)
    if not sends_mail():
        waiting.update(state=MailState.NOT_SENT, state_since=timezone.now())
        return 0
    ids = list(waiting.order_by("queued_at").values_list("pk", flat=True)[:BATCH_SIZE])
    if not ids:
        return 0
    connection = get_connection()
    try:
        connection.open()
    except (OSError, SMTPException):
        logger.warning("the mail server does not answer", extra={"count": len(ids)})
        return 0
    try:
        return sum(_send(mail_id, connection) for mail_id in ids)
    finally:
        connection.close()


def hand_over(*, mail: OutgoingMail, by: User) -> Letter:
    """Write the e-mail for the lead to send in another way, with a link made now; it is on record who did.

    Raises TextErasedError and ApplicationEndedError.
    """
    with transaction.atomic():
        record_access(actor=by, action=Action.EXPORTED, obj_type="applicant_link", obj_id=str(mail.pk))
        OutgoingMail.objects.filter(pk=mail.pk).update(handed_over_at=timezone.now())
        return _letter(mail, invited_by=by)


def _send(mail_id: uuid.UUID, connection: BaseEmailBackend) -> bool:
    """Send one e-mail that nobody else is sending. From here on it is never tried again."""
    claimed = OutgoingMail.objects.filter(pk=mail_id, state=MailState.WAITING)
    if not claimed.update(state=MailState.SENDING, state_since=timezone.now()):
        return False
    mail = OutgoingMail.objects.select_related(*RELATED).get(pk=mail_id)
    state = MailState.SENT
    try:
        letter = _letter(mail, invited_by=None)
        EmailMessage(letter.subject, letter.body, to=[letter.to], connection=connection).send()
    except (OSError, SMTPException, TextErasedError, ApplicationEndedError):
        logger.warning("an e-mail was not sent", exc_info=True, extra={"object_id": str(mail_id)})
        state = MailState.FAILED
    OutgoingMail.objects.filter(pk=mail_id).update(state=state, state_since=timezone.now())
    return state == MailState.SENT


def _give_up_interrupted() -> None:
    """Whether a process that died while sending had sent it, nobody knows: it is not sent again by itself."""
    since = timezone.now() - timedelta(minutes=SENDING_MINUTES)
    OutgoingMail.objects.filter(state=MailState.SENDING, state_since__lt=since).update(
        state=MailState.FAILED, state_since=timezone.now()
    )


@transaction.atomic
def _letter(mail: OutgoingMail, *, invited_by: User | None) -> Letter:
    application = mail.application
    written = answers.read(application)
    context = {
        "name": written["name"],
        "campaign": application.campaign.name,
        "link": links.address_of(links.issue(application, proves_address=True)),
        "account_link": _account_link(application, written["email"], invited_by)
        if mail.kind == MailKind.CALIBRATION
        else "",
    }
    body = render_to_string(f"annotation/recruitment/mail/{mail.kind}.txt", context)
    return Letter(written["email"], SUBJECT, body)


def _account_link(application: Application, email: str, invited_by: User | None) -> str:
    """Return the link that makes the applicant's account; the sign-in page where there is one already.

    Raises ApplicationEndedError.
    """
    application.refresh_from_db(
        fields=["stage"], from_queryset=Application.objects.select_for_update(of=("self",))
    )
    if application.stage in ENDED:
        raise ApplicationEndedError("This message invites, and the application has ended since.")
    sign_in = site_origin() + reverse("account_login")
    owner = account_with(email)
    if owner is not None and owner.has_role(*LEARNERS):
        return sign_in
    application.invitation, token = invite(email=email, role=Role.APPLICANT, invited_by=invited_by)
    application.save(update_fields=["invitation"])
    return site_origin() + reverse("accounts:accept_invitation", args=[token])
