"""A forgotten password, where no mail is sent: a link from the command line, once."""

from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from prometheus_site.accounts.models import User
from tests import people

NEW = "quite-another-long-password"


def link_for(user: User) -> str:
    out = StringIO()
    call_command("reset_link", user.email, stdout=out)
    return urlsplit(out.getvalue().strip()).path


def test_the_link_sets_a_new_password_once(annotator: User) -> None:
    link, client = link_for(annotator), Client()
    form = client.get(link, follow=True)
    assert form.status_code == 200
    address = form.request["PATH_INFO"]
    assert client.post(address, {"password1": NEW, "password2": NEW}).status_code == 302
    annotator.refresh_from_db()
    assert annotator.check_password(NEW)
    other = "a-third-long-password-here"
    Client().post(link, {"password1": other, "password2": other}, follow=True)
    annotator.refresh_from_db()
    assert annotator.check_password(NEW)


def test_an_unknown_address_is_named(database: None) -> None:
    with pytest.raises(CommandError, match="no active person with the address"):
        call_command("reset_link", "nobody@example.org")


def test_the_page_says_that_no_mail_is_sent(client: Client, settings: object, database: None) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # type: ignore[attr-defined]
    page = client.get("/accounts/password/reset/").content.decode()
    assert "sends no mail" in page
    assert people.PASSWORD not in page
