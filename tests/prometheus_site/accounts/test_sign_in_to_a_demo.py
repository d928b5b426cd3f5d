"""The demo's logins are printed for a demo on this computer, and for nothing else."""

import io
import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from prometheus_site.accounts import demo
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.core.installation import mark_demo
from prometheus_site.embedded.home import Home

from .conftest import browser

NOW = datetime(2030, 1, 7, 9, tzinfo=UTC)


@pytest.fixture
def keys(database: None, tmp_path: Path, settings: Settings) -> Path:
    """A demo database and an empty folder of keys, on a site that only this computer reaches."""
    settings.MASTER_KEYS = [settings.MASTER_KEYS_FILE.read_text().split()[0]]
    home = settings.HOME = Home(tmp_path)
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    home.keys.mkdir()
    mark_demo()
    return home.keys


def printed(*command: str) -> str:
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_there_is_somebody_for_each_role_and_three_annotators(keys: Path) -> None:
    first = demo.create_demo_people()
    assert set(first) == set(Role) - {Role.APPLICANT}  # an applicant begins on the public page
    assert all(user.roles == {role} for role, user in first.items())
    annotators = User.objects.filter(role_grants__role=Role.ANNOTATOR)
    assert annotators.count() == 3
    assert first[Role.ANNOTATOR].email == "annotator@demo.localhost"


def test_passwords_are_this_installations_own_and_for_its_owner_only(keys: Path) -> None:
    demo.create_demo_people()
    file = keys / "demo.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    passwords = json.loads(file.read_text())
    assert len(set(passwords.values())) == len(demo.DEMO_PEOPLE)
    assert all(len(password) >= 12 for password in passwords.values())


def test_making_them_again_changes_nothing(keys: Path) -> None:
    demo.create_demo_people()
    before = list(User.objects.order_by("email").values_list("email", "password"))
    demo.create_demo_people()
    assert list(User.objects.order_by("email").values_list("email", "password")) == before


@pytest.mark.parametrize("who", [person.name for person in demo.DEMO_PEOPLE])
def test_what_is_printed_signs_in(who: str, keys: Path) -> None:
    demo.create_demo_people()
    line = next(row for row in printed("demo_logins").splitlines() if f" {who}@" in row)
    _, email, password = line.split()
    client = browser("localhost")
    with time_machine.travel(NOW, tick=False):
        client.post("/accounts/login/", {"login": email, "password": password})
        answer = client.post("/accounts/2fa/authenticate/", {"code": printed("demo_code", who).strip()})
        assert answer["Location"] == "/"
        assert client.get("/account/").status_code == 200


def test_a_role_stands_for_its_first_person(keys: Path) -> None:
    demo.create_demo_people()
    with time_machine.travel(NOW, tick=False):
        assert printed("demo_code", "annotator") == printed("demo_code", "annotator@demo.localhost")
        assert printed("demo_code", "annotator") != printed("demo_code", "annotator2")


def test_an_unknown_person_is_named(keys: Path) -> None:
    with pytest.raises(CommandError, match="no demo person 'nobody'"):
        printed("demo_code", "nobody")


@pytest.mark.parametrize("command", [("demo_logins",), ("demo_code", "lead")])
def test_outside_a_demo_nothing_is_printed(command: tuple[str, ...], database: None) -> None:
    with pytest.raises(CommandError, match="not a demo"):
        printed(*command)


@pytest.mark.parametrize("command", [("demo_logins",), ("demo_code", "lead")])
def test_a_demo_that_others_reach_prints_nothing(
    command: tuple[str, ...], keys: Path, settings: Settings
) -> None:
    demo.create_demo_people()
    settings.ALLOWED_HOSTS = ["localhost", "demo.example.org"]
    with pytest.raises(CommandError, match=r"opens this demo to demo\.example\.org"):
        printed(*command)
    with pytest.raises(demo.NotADemoError):
        demo.create_demo_people()


def test_the_first_lead_comes_in_by_the_command_line(database: None, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    link = printed("invite", "first@example.org", "lead").strip()
    assert link.startswith(f"http://localhost:{settings.PUBLIC_PORT}/invitation/")
    answer = Client(SERVER_NAME="localhost").get(link)
    assert "first@example.org is invited to Prometheus as lead" in answer.content.decode()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["nobody", "lead"], "is not an e-mail address"), (["a@example.org", "king"], "invalid choice")],
)
def test_the_command_line_refuses_nonsense(arguments: list[str], says: str, database: None) -> None:
    with pytest.raises(CommandError, match=says):
        printed("invite", *arguments)
