"""Every e-mail goes out once, or says that it did not and can be handed over."""

import smtplib
from collections.abc import Callable
from datetime import date, timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import Campaign, MailKind, MailState, OutgoingMail
from annotation.recruitment import links, mail, services
from annotation.recruitment.mail import send_waiting
from annotation.recruitment.selectors import application_of, licence_of
from annotation.recruitment.stages import Stage
from prometheus_site.accounts.models import Invitation, User
from prometheus_site.accounts.roles import Role
from prometheus_site.accounts.services import InvitationRevokedError, accept_invitation
from prometheus_site.audit.models import AccessEvent
from tests import people
from tests.annotation.recruitment.applying import ANSWERS, LINK, Stranger, applied, cv, newest_link

DUMMY = "django.core.mail.backends.dummy.EmailBackend"


def test_each_mail_is_sent_once_however_often_the_sweeper_runs(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin().send()
    assert [send_waiting() for _ in range(3)] == [1, 0, 0]
    assert len(outbox.outbox) == 1
    assert mara.application.mails.get().state == MailState.SENT


def test_the_same_mail_of_the_same_move_cannot_be_queued_twice(campaign: Campaign) -> None:
    application = Stranger(campaign).begin().send().application
    mail.queue(application=application, kind=MailKind.CONFIRM, event_number=1)
    assert application.mails.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        OutgoingMail.objects.create(application=application, kind=MailKind.CONFIRM, event_number=1)


def test_a_mail_says_nothing_in_its_subject_and_names_the_person_in_its_text(campaign: Campaign) -> None:
    applied(campaign)
    send_waiting()
    sent = outbox.outbox[1]
    assert sent.subject == "[Prometheus] Your application"
    assert str(sent.body).startswith("Hello Mara Licht,")
    assert sent.to == ["mara@example.org"]


def test_before_the_address_is_confirmed_a_mail_says_nothing_that_was_typed(campaign: Campaign) -> None:
    Stranger(campaign).begin().send()
    send_waiting()
    assert str(outbox.outbox[0].body).startswith("Hello,")
    assert "Mara" not in str(outbox.outbox[0].body)


@pytest.mark.parametrize(
    "name",
    ["colleague,\n\nyour account is locked", "look at https://evil.example", "evil.example/x", "a\u2028b"],
)
def test_a_name_is_a_name_and_no_message(campaign: Campaign, name: str) -> None:
    mara = Stranger(campaign).begin()
    assert mara.post("send", file=cv(), name=name).status_code == 422
    assert mara.application.stage == Stage.STARTED


def test_one_address_gets_few_messages_whoever_asks_and_nobody_is_told(campaign: Campaign) -> None:
    askers = [
        Stranger(campaign, "victim@example.org", Client(REMOTE_ADDR=f"203.0.113.{number}")).begin().send()
        for number in range(services.UNCONFIRMED_A_DAY + 1)
    ]
    askers[0].client.post(f"{askers[0].page}withdraw/")
    send_waiting()
    assert len(outbox.outbox) == services.UNCONFIRMED_A_DAY
    pages = [one.client.get(one.page).content.decode() for one in (askers[1], askers[-1])]
    assert all("We wrote to victim@example.org" in page for page in pages)
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        Stranger(campaign, "victim@example.org").begin().send()
        assert send_waiting() == 1


def test_a_name_with_a_line_break_stays_out_of_the_head(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    mara.post("send", name="Mara\nBcc: all@example.org")
    assert mara.application.stage == Stage.STARTED or not outbox.outbox
    mara.send()
    send_waiting()
    assert "all@example.org" not in str(outbox.outbox[0].message()).split("\n\n")[0]


def test_a_mail_whose_sending_was_cut_off_is_not_sent_again(campaign: Campaign) -> None:
    waiting = Stranger(campaign).begin().send().application.mails.get()
    long_ago = timezone.now() - timedelta(minutes=mail.SENDING_MINUTES + 1)
    OutgoingMail.objects.filter(pk=waiting.pk).update(state=MailState.SENDING, state_since=long_ago)
    assert send_waiting() == 0
    waiting.refresh_from_db()
    assert waiting.state == MailState.FAILED
    assert outbox.outbox == []


def test_one_that_is_being_sent_elsewhere_is_left_alone(campaign: Campaign) -> None:
    waiting = Stranger(campaign).begin().send().application.mails.get()
    OutgoingMail.objects.filter(pk=waiting.pk).update(state=MailState.SENDING, state_since=timezone.now())
    assert send_waiting() == 0
    waiting.refresh_from_db()
    assert waiting.state == MailState.SENDING


class UnreachableBackend(EmailBackend):
    def open(self) -> bool:
        raise ConnectionRefusedError


class RefusingBackend(EmailBackend):
    def send_messages(self, messages: object) -> int:
        raise smtplib.SMTPRecipientsRefused({})


def test_a_mail_server_that_is_away_is_waited_for(campaign: Campaign, settings: LazySettings) -> None:
    waiting = Stranger(campaign).begin().send().application.mails.get()
    usual, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.UnreachableBackend"
    assert send_waiting() == 0
    waiting.refresh_from_db()
    assert waiting.state == MailState.WAITING
    settings.EMAIL_BACKEND = usual
    assert send_waiting() == 1


def test_a_refused_mail_is_shown_as_not_sent_and_the_next_one_goes_out(
    campaign: Campaign, settings: LazySettings
) -> None:
    first = Stranger(campaign).begin().send().application.mails.get()
    usual, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.RefusingBackend"
    assert send_waiting() == 0
    first.refresh_from_db()
    assert first.state == MailState.FAILED
    settings.EMAIL_BACKEND = usual
    Stranger(campaign, "other@example.org").begin().send()
    assert send_waiting() == 1


def test_without_a_mail_server_the_lead_hands_the_link_over(
    campaign: Campaign, lead: User, client_for: Callable[[User], Client], settings: LazySettings
) -> None:
    settings.EMAIL_BACKEND = DUMMY
    mara = Stranger(campaign).begin().send()
    assert send_waiting() == 0
    application = mara.application
    unsent = application.mails.get()
    client = client_for(lead)
    page = client.get(reverse("annotation:applicant", args=[campaign.slug, application.pk])).content.decode()
    assert "Not sent: no mail server set up" in page
    response = client.post(
        reverse("annotation:hand_over_mail", args=[campaign.slug, application.pk, unsent.pk])
    )
    link = LINK.search(response.content.decode())
    assert link
    assert "no-store" in response["Cache-Control"]
    assert AccessEvent.objects.filter(object_type="applicant_link", actor=lead).exists()
    Client().post(f"{link.group(1)}confirm/")
    assert mara.application.stage == Stage.APPLIED


def test_a_sent_mail_is_not_handed_over(
    campaign: Campaign, lead: User, client_for: Callable[[User], Client]
) -> None:
    application = applied(campaign).application
    send_waiting()
    sent = application.mails.first()
    assert sent
    address = reverse("annotation:hand_over_mail", args=[campaign.slug, application.pk, sent.pk])
    assert client_for(lead).post(address).status_code == 404


def test_calibration_brings_an_invitation_that_makes_an_applicant(campaign: Campaign, lead: User) -> None:
    mara = applied(campaign).moved(Stage.SCREENING, lead).moved(Stage.CALIBRATION, lead)
    send_waiting()
    body = str(outbox.outbox[-1].body)
    token = body.split("/invitation/")[1].split("/")[0]
    invitation = Invitation.objects.get(email=mara.email)
    assert mara.application.invitation == invitation
    assert invitation.role == Role.APPLICANT
    user = accept_invitation(token=token, password="a-long-made-up-password", display_name="Mara")
    assert mara.application.invitation.accepted_by == user
    assert user.has_role(Role.APPLICANT)
    assert application_of(user, campaign) == mara.application
    assert application_of(lead, campaign) is None
    assert licence_of(mara.application).expires_on == date.fromisoformat(ANSWERS["licence_expires_on"])


def invited(campaign: Campaign, lead: User) -> tuple[Stranger, str]:
    """Return somebody who came as far as the invitation, and its token."""
    mara = applied(campaign).moved(Stage.SCREENING, lead).moved(Stage.CALIBRATION, lead)
    return mara, newest_invitation()


def newest_invitation() -> str:
    send_waiting()
    return str(outbox.outbox[-1].body).split("/invitation/")[1].split("/")[0]


def open_account(token: str) -> User:
    return accept_invitation(token=token, password="a-long-made-up-password", display_name="Mara")


@pytest.mark.parametrize("end", [Stage.DECLINED, Stage.WITHDRAWN])
def test_with_the_application_its_invitation_ends(campaign: Campaign, lead: User, end: Stage) -> None:
    mara, token = invited(campaign, lead)
    mara.moved(end, lead)
    with pytest.raises(InvitationRevokedError):
        open_account(token)
    mara.moved(Stage.CALIBRATION, lead)  # who comes back after all gets another one
    assert open_account(newest_invitation()).has_role(Role.APPLICANT)


def test_an_invitation_that_still_waits_when_the_application_ends_is_not_sent(
    campaign: Campaign, lead: User, client_for: Callable[[User], Client]
) -> None:
    mara = applied(campaign).moved(Stage.SCREENING, lead).moved(Stage.CALIBRATION, lead)
    mara.moved(Stage.DECLINED, lead)
    send_waiting()
    assert not Invitation.objects.exists()
    unsent = mara.application.mails.get(kind=MailKind.CALIBRATION)
    assert unsent.state == MailState.FAILED
    address = reverse("annotation:hand_over_mail", args=[campaign.slug, mara.application.pk, unsent.pk])
    page = client_for(lead).post(address, follow=True).content.decode()
    assert "the application has ended since" in page
    assert not Invitation.objects.exists()


def test_revoking_every_link_takes_the_invitation_back(campaign: Campaign, lead: User) -> None:
    mara, token = invited(campaign, lead)
    links.revoke_all(application=mara.application, revoked_by=lead)
    with pytest.raises(InvitationRevokedError):
        open_account(token)


def test_nothing_is_left_of_the_address_of_who_was_erased(campaign: Campaign, lead: User) -> None:
    mara, _ = invited(campaign, lead)
    mail.hand_over(mail=mara.application.mails.get(kind=MailKind.CALIBRATION), by=lead)  # a second invitation
    assert Invitation.objects.filter(email=mara.email).count() == 2
    mara.moved(Stage.DECLINED, lead)
    services.erase_application(application=mara.application, by=lead)
    assert mara.application.invitation is None
    assert not Invitation.objects.filter(email=mara.email).exists()


def test_the_team_page_tells_nothing_of_applicants(
    campaign: Campaign, lead: User, client_for: Callable[[User], Client]
) -> None:
    mara, token = invited(campaign, lead)
    client = client_for(people.make("other-lead", Role.LEAD))
    assert mara.email not in client.get(reverse("accounts:people")).content.decode()
    invitation = Invitation.objects.get(email=mara.email)
    address = reverse("accounts:revoke_invitation", args=[invitation.pk])
    assert client.post(address).status_code == 404
    form = {"email": mara.email, "role": Role.APPLICANT}  # it would take back the one that is under way
    assert client.post(reverse("accounts:invite"), form).status_code == 422
    assert open_account(token).has_role(Role.APPLICANT)


@pytest.mark.parametrize("kind", [kind for kind in MailKind if kind != MailKind.CALIBRATION])
def test_every_kind_of_mail_can_be_written(campaign: Campaign, lead: User, kind: MailKind) -> None:
    application = applied(campaign).application
    queued = OutgoingMail.objects.create(application=application, kind=kind, event_number=99)
    letter = mail.hand_over(mail=queued, by=lead)
    typed_by_a_stranger = kind in (MailKind.CONFIRM, MailKind.AGAIN)
    assert letter.body.startswith("Hello," if typed_by_a_stranger else "Hello Mara Licht,")
    assert "{{" not in letter.body
    assert "&" not in letter.body


def test_somebody_erased_gets_no_mail(campaign: Campaign, lead: User) -> None:
    application = applied(campaign).moved(Stage.DECLINED, lead).application
    services.erase_application(application=application, by=lead)
    send_waiting()
    assert outbox.outbox == [sent for sent in outbox.outbox if "Please confirm" in str(sent.body)]
    assert application.mails.get(kind=MailKind.DECLINED).state == MailState.FAILED


def test_the_link_of_a_mail_is_made_when_it_is_sent(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin().send()
    assert mara.application.links.count() == 1
    newest_link(mara.email)
    assert mara.application.links.filter(proves_address=True).count() == 1
