"""Write applications: begin, save, send, confirm, and move from stage to stage."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils import timezone

from annotation.models import (
    Application,
    ApplicationEvent,
    Campaign,
    CurriculumVitae,
    MailKind,
    OutgoingMail,
    Recruitment,
)
from annotation.recruitment import answers as answer_store
from annotation.recruitment import links, mail
from annotation.recruitment.cv_files import CvKind
from annotation.recruitment.progress import Step
from annotation.recruitment.stages import ASIDE, ENDED, WAY, Stage, moves_from
from prometheus_site.accounts.models import Invitation, User
from prometheus_site.accounts.roles import Role
from prometheus_site.accounts.services import revoke_if_open
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core import sealing

DRAFT_KEPT_DAYS = 30
UNCONFIRMED_A_DAY = 3  # so many messages to one address, whoever asks for them
MAIL_OF_STAGE = {
    Stage.UNCONFIRMED: MailKind.CONFIRM,
    **{stage: MailKind(stage.value) for stage in Stage if stage.value in MailKind.values},
}


class RecruitmentRefusedError(Exception):
    """Something about an application that cannot be done; the message tells the person why."""


class RecruitingClosedError(RecruitmentRefusedError):
    """The campaign takes no applications now."""


class DraftChangedError(RecruitmentRefusedError):
    """The draft was saved from another tab since this one was loaded."""


class AlreadySentError(RecruitmentRefusedError):
    """The application is on its way: what was sent does not change any more."""


class MoveRefusedError(RecruitmentRefusedError):
    """The application cannot go to that stage from where it is."""


@transaction.atomic
def start_application(*, campaign: Campaign, email: str) -> tuple[Application, str]:
    """Begin an application and return it with the token of its link.

    An address that was used before begins anew like any other, so nobody learns that it was. Raises
    RecruitingClosedError.
    """
    if not Recruitment.objects.filter(campaign=campaign, is_open=True).exists():
        raise RecruitingClosedError("This campaign takes no applications at the moment.")
    email = email.strip().lower()
    application = Application(id=uuid.uuid4(), campaign=campaign, saved_at=timezone.now())
    application.data_key = sealing.data_key_for(application.key_scope)
    application.email_digest = answer_store.address_digest(email, sealing.data_key_for(sealing.SITE_SCOPE))
    application.sealed = answer_store.seal(application, {"email": email})
    application.save(force_insert=True)
    return application, links.issue(application, proves_address=False)


@transaction.atomic
def save_draft(*, application: Application, version: int, answers: Mapping[str, str]) -> Application:
    """Keep what was filled in so far. Raises AlreadySentError and DraftChangedError, and loses nothing then.

    ``version`` is that of the draft the person saw: two tabs cannot overwrite each other unseen.
    """
    locked = _locked_draft(application)
    if locked.draft_version != version:
        raise DraftChangedError("This form was saved from another tab or window in the meantime.")
    stored = answer_store.read(locked)
    locked.sealed = answer_store.seal(locked, {**stored, **answers, "email": stored["email"]})
    locked.draft_version += 1
    locked.saved_at = timezone.now()
    locked.save(update_fields=["sealed", "draft_version", "saved_at"])
    return locked


@transaction.atomic
def store_cv(*, application: Application, kind: CvKind, content: bytes) -> None:
    """Seal the CV; another one takes its place until the application is sent. Raises AlreadySentError."""
    locked = _locked_draft(application)
    CurriculumVitae.objects.update_or_create(
        application=locked,
        defaults={
            "kind": kind.value,
            "size_bytes": len(content),
            "sealed": sealing.seal_bytes(content, locked.data_key, _cv_place(locked)),
            "uploaded_at": timezone.now(),
        },
    )


def open_cv(*, application: Application, opened_by: User) -> tuple[CvKind, bytes]:
    """Return the CV and write down who opened it. Raises TextErasedError and CurriculumVitae.DoesNotExist."""
    cv = CurriculumVitae.objects.get(application=application)
    content = sealing.open_bytes(bytes(cv.sealed), application.data_key, _cv_place(application))
    record_access(actor=opened_by, action=Action.EXPORTED, obj_type="cv", obj_id=str(application.pk))
    return CvKind(cv.kind), content


@transaction.atomic
def submit_application(*, application: Application, answers: Mapping[str, str]) -> None:
    """Send the checked form; the e-mail that confirms the address goes out. Sent twice counts once."""
    locked = locked_application(application)
    if locked.stage != Stage.STARTED:
        return
    stored = answer_store.read(locked)
    locked.sealed = answer_store.seal(locked, {**stored, **answers, "email": stored["email"]})
    locked.submitted_at = locked.saved_at = timezone.now()
    _go(locked, Stage.UNCONFIRMED, None, "The applicant sent the form.")


@transaction.atomic
def confirm_address(*, application: Application) -> None:
    """Take the application in: its address is the applicant's own. Confirmed twice counts once.

    Where the same person has an application under way, this one is kept beside it and goes no further.
    """
    locked = locked_application(application)
    if locked.stage != Stage.UNCONFIRMED or locked.confirmed_at is not None:
        return
    # One row that all applications of the campaign share: two that confirm at once see each other.
    Recruitment.objects.select_for_update().get(campaign=locked.campaign_id)
    locked.confirmed_at = timezone.now()
    locked.duplicate_of = _live_of_same_person(locked)
    if locked.duplicate_of is None:
        _go(locked, Stage.APPLIED, None, "The applicant confirmed the e-mail address.")
        return
    locked.save(update_fields=["confirmed_at", "duplicate_of"])
    mail.queue(application=locked, kind=MailKind.AGAIN, event_number=1)


@transaction.atomic
def move(application: Application, to: Stage, by: User | None, why: str) -> ApplicationEvent:
    """Move an application from the stage it was seen in; nobody in ``by`` means the site itself did.

    The applicant is told by e-mail where the stage has one. Raises MoveRefusedError.
    """
    locked = locked_application(application)
    if locked.stage != application.stage:
        raise MoveRefusedError(
            f"Somebody moved this application to “{Stage(locked.stage).label}” in the meantime. "
            "Look at it again."
        )
    # Who withdraws a second form may be somebody else, and learns nothing of the first one.
    if locked.duplicate_of_id is not None and (by is not None or to != Stage.WITHDRAWN):
        raise MoveRefusedError("This person has another application under way: move that one.")
    if locked.stage in (Stage.STARTED, Stage.UNCONFIRMED) and to in WAY:
        raise MoveRefusedError("The applicant confirms the address first.")
    came_from = Stage(locked.came_from) if locked.came_from else None
    if to not in moves_from(Stage(locked.stage), came_from):
        raise MoveRefusedError(
            f"From “{Stage(locked.stage).label}” an application cannot go to “{to.label}”."
        )
    event = _go(locked, to, by, why)
    application.stage, application.came_from = locked.stage, locked.came_from
    return event


@transaction.atomic
def go_through(*, application: Application, steps: Sequence[Step], by: User | None) -> None:
    """Take an application whose row is locked through these stages; only the last may be worth an e-mail."""
    for place, step in enumerate(steps, start=1):
        is_told = step.asks and place == len(steps)
        _go(application, step.to, by, step.why, is_told=is_told)


@transaction.atomic
def erase_application(*, application: Application, by: User) -> None:
    """Destroy the key of an application that has ended: what was written is gone, that it was there stays.

    Raises MoveRefusedError while it is under way.
    """
    locked = locked_application(application)
    if locked.stage not in ENDED and locked.duplicate_of_id is None:
        raise MoveRefusedError("Only an application that was declined or withdrawn, or has ended, is erased.")
    CurriculumVitae.objects.filter(application=locked).delete()
    links.revoke_all(application=locked, revoked_by=by)
    _forget_invitations(locked)
    locked.email_digest, locked.invitation = b"", None
    locked.save(update_fields=["email_digest", "invitation"])
    sealing.destroy_key(locked.key_scope, "the applicant asked, or the application has ended")
    record_access(actor=by, action=Action.CHANGED, obj_type="application_erased", obj_id=str(locked.pk))


@transaction.atomic
def discard_abandoned_drafts() -> int:
    """Erase forms that nobody sent within 30 days, key and all, and return how many; for the sweeper."""
    old = timezone.now() - timedelta(days=DRAFT_KEPT_DAYS)
    drafts = Application.objects.select_for_update(skip_locked=True).filter(
        stage=Stage.STARTED, saved_at__lt=old
    )
    found = list(drafts)
    for draft in found:
        sealing.destroy_key(draft.key_scope, "an application that was never sent")
        draft.delete()
    return len(found)


def _go(
    locked: Application, to: Stage, by: User | None, why: str, *, is_told: bool = True
) -> ApplicationEvent:
    """Write the event and the stage, queue the e-mail. The application's row is locked."""
    number = (locked.events.aggregate(top=Max("number"))["top"] or 0) + 1
    before = Stage(locked.stage)
    event = ApplicationEvent.objects.create(
        application=locked,
        number=number,
        from_stage=before,
        to_stage=to,
        moved_by=by,
        why=sealing.seal(why, locked.key_scope),
    )
    locked.stage = to
    locked.came_from = (
        before if to in ASIDE and before not in ASIDE else locked.came_from if to in ASIDE else ""
    )
    try:
        with transaction.atomic():
            locked.save()
    except IntegrityError as taken:  # application_one_live_per_address
        raise MoveRefusedError("This person has applied again since: go on with that application.") from taken
    if to in ENDED and locked.invitation_id is not None:
        revoke_if_open(invitation_id=locked.invitation_id, revoked_by=by)
    if to in MAIL_OF_STAGE and is_told and _is_worth_a_mail(locked, before):
        mail.queue(application=locked, kind=MAIL_OF_STAGE[to], event_number=number)
    return event


def _is_worth_a_mail(locked: Application, before: Stage) -> bool:
    """Say whether the applicant is told of the stage that the application has come to."""
    if locked.stage == Stage.UNCONFIRMED:
        return not _has_asked_often(locked)
    if locked.confirmed_at is None or locked.duplicate_of_id is not None:
        return False  # whose address it is nobody knows, or the person has another one under way
    if before in ENDED and locked.stage == Stage.CALIBRATION:
        is_in = locked.invitation is not None and locked.invitation.accepted_at is not None
        return not is_in  # the link to the account ended with it: this brings another
    return before not in ASIDE or locked.stage in ASIDE  # on a return the page says all there is


def _has_asked_often(locked: Application) -> bool:
    """Say whether this address was asked often enough today to confirm applications that it did not."""
    # Two that are sent at once see each other.
    Recruitment.objects.select_for_update().get(campaign=locked.campaign_id)
    asked = OutgoingMail.objects.filter(
        kind=MailKind.CONFIRM,
        queued_at__gt=timezone.now() - timedelta(days=1),
        application__email_digest=locked.email_digest,
        application__confirmed_at__isnull=True,
    )
    return asked.count() >= UNCONFIRMED_A_DAY


def _forget_invitations(locked: Application) -> None:
    """Take the address out of every invitation that this application, and no other, brought."""
    others = Application.objects.exclude(pk=locked.pk).filter(invitation__isnull=False)
    address = answer_store.read_unless_erased(locked).get("email", "")
    own = Q(pk=locked.invitation_id) | Q(email=address, role=Role.APPLICANT)
    Invitation.objects.filter(own).exclude(pk__in=others.values("invitation")).update(email="")


def locked_application(application: Application) -> Application:
    """Return the application as it is now, locked. Who locks its campaign as well locks that before."""
    rows = Application.objects.select_for_update(of=("self",)).select_related("data_key")
    return rows.get(pk=application.pk)


def _locked_draft(application: Application) -> Application:
    locked = locked_application(application)
    if locked.stage != Stage.STARTED:
        raise AlreadySentError("This application was sent already. What was sent does not change any more.")
    return locked


def _live_of_same_person(application: Application) -> Application | None:
    same = Application.objects.filter(
        campaign=application.campaign_id,
        email_digest=application.email_digest,
        confirmed_at__isnull=False,
        duplicate_of__isnull=True,
    )
    return same.exclude(stage__in=ENDED).exclude(pk=application.pk).first()


def _cv_place(application: Application) -> bytes:
    return b"cv:" + application.id.bytes
