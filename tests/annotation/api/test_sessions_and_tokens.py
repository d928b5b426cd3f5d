"""Who may call: an annotator of the campaign, by token or by session and CSRF token, about own samples."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.utils import timezone

from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    CampaignMember,
    Draft,
    Label,
    LabelUndo,
    Pass,
    SampleFlag,
)
from prometheus_site.accounts.models import ApiToken, RoleGrant, User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.api.calling import Caller, address, caller, token_of
from tests.annotation.planned import make_planned_campaign
from tests.annotation.worlds import GOOD_ANSWERS, join, label

GUIDELINE = "00000000-0000-4000-8000-000000000001"
LABEL: dict[str, object] = {"answers": GOOD_ANSWERS, "guideline": GUIDELINE}
# What each address takes; a key is added.
ABOUT_ASSIGNMENT: dict[str, tuple[str, dict[str, object]]] = {
    "label": ("post", LABEL),
    "pass": ("post", {}),
    "open": ("post", {}),
    "draft": ("put", {"answers": {}, "note": "half"}),
    "flag": ("post", {"kind": "other"}),
}
ABOUT_CAMPAIGN: dict[str, tuple[str, dict[str, object]]] = {
    "next/": ("post", {}),
    "undo/": ("post", {}),
    "leave/": ("post", {}),
    "progress/": ("get", {}),
}


def ask_everything(api: Caller, assignment: object, given: object) -> dict[str, int]:
    """Return the status of every address, asked about this assignment and this label."""
    found = {}
    for deed, (method, body) in ABOUT_ASSIGNMENT.items():
        found[deed] = status(api, f"assignments/{assignment}/{deed}/", body, method)
    found["correct"] = status(api, f"labels/{given}/correct/", LABEL | {"reason": "a slip"}, "post")
    for path, (method, body) in ABOUT_CAMPAIGN.items():
        found[path] = status(api, path, body, method)
    return found


def status(api: Caller, path: str, body: dict[str, object], method: str) -> int:
    answer = api.call(path, body | {"key": str(uuid.uuid4())}, method)
    assert answer.status_code < 300 or answer.json()["detail"]
    return int(answer.status_code)


@pytest.fixture
def given(campaign: Campaign, annotator: User) -> Label:
    """A label of the annotator, whose queue is at the second sample."""
    return label(campaign, annotator, 4)


@pytest.fixture
def slot(campaign: Campaign, annotator: User, given: Label) -> Assignment:
    return campaign.assignments.filter(annotator=annotator, state=AssignmentState.WAITING)[0]


@pytest.fixture(autouse=True)
def nothing_changes(
    campaign: Campaign, given: Label, slot: Assignment, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Unless a test says that it writes, whatever it sends leaves everything as it was."""
    before = everything(campaign)
    yield
    if "writes" not in request.node.name:
        assert everything(campaign) == before


def everything(campaign: Campaign) -> list[object]:
    rows: list[object] = [*campaign.assignments.order_by("pk").values()]
    rows += campaign.sittings.order_by("pk").values()
    return rows + [model.objects.count() for model in (Label, LabelUndo, Pass, Draft, SampleFlag)]


def assert_found_nowhere(api: Caller, assignment: object, given: object) -> None:
    found = ask_everything(api, assignment, given)
    assert set(found.values()) == {404}, found


def test_a_stranger_is_asked_to_sign_in(campaign: Campaign, slot: Assignment, given: Label) -> None:
    found = ask_everything(Caller(campaign, {}, Client()), slot.pk, given.pk)
    assert set(found.values()) == {401}, found


def test_a_revoked_token_opens_nothing(api: Caller, slot: Assignment, given: Label) -> None:
    ApiToken.objects.update(revoked_at=timezone.now())
    assert set(ask_everything(api, slot.pk, given.pk).values()) == {401}


@pytest.mark.parametrize("role", [Role.LEAD, Role.ADJUDICATOR, Role.SUPERVISOR, Role.ENGINEER, None])
def test_other_roles_find_nothing(
    campaign: Campaign, slot: Assignment, given: Label, role: Role | None
) -> None:
    """Also as members of the campaign."""
    person = people.make("somebody", *([role] if role else []))
    join(campaign, person)
    assert_found_nowhere(caller(person, campaign), slot.pk, given.pk)


def test_an_annotator_of_another_campaign_finds_nothing(
    campaign: Campaign, slot: Assignment, given: Label, lead: User
) -> None:
    other = people.make("elsewhere", Role.ANNOTATOR)
    make_planned_campaign(lead, [other], samples=1, slug="other", labels_per_sample=1)
    assert_found_nowhere(caller(other, campaign), slot.pk, given.pk)


def test_an_annotator_who_left_finds_nothing(
    campaign: Campaign, slot: Assignment, given: Label, annotator: User
) -> None:
    api = caller(annotator, campaign)
    CampaignMember.objects.filter(user=annotator).update(left_at=timezone.now())
    assert_found_nowhere(api, slot.pk, given.pk)


def test_who_lost_the_role_finds_nothing(
    campaign: Campaign, slot: Assignment, given: Label, annotator: User
) -> None:
    api = caller(annotator, campaign)
    RoleGrant.objects.filter(user=annotator).update(revoked_at=timezone.now())
    assert_found_nowhere(api, slot.pk, given.pk)


def test_anothers_samples_and_labels_are_not_found(
    campaign: Campaign, slot: Assignment, given: Label, second_annotator: User
) -> None:
    api = caller(second_annotator, campaign)
    for deed, (method, body) in ABOUT_ASSIGNMENT.items():
        assert status(api, f"assignments/{slot.pk}/{deed}/", body, method) == 404, deed
    assert status(api, f"labels/{given.pk}/correct/", LABEL | {"reason": "a slip"}, "post") == 404


def test_own_samples_are_not_found_in_another_campaign(
    campaign: Campaign, slot: Assignment, given: Label, lead: User, annotator: User
) -> None:
    """The address must name the campaign the sample is in."""
    other = make_planned_campaign(lead, [], samples=1, slug="other")
    join(other, annotator)
    api = caller(annotator, other)
    for deed, (method, body) in ABOUT_ASSIGNMENT.items():
        assert status(api, f"assignments/{slot.pk}/{deed}/", body, method) == 404, deed
    assert status(api, f"labels/{given.pk}/correct/", LABEL | {"reason": "a slip"}, "post") == 404


def test_what_does_not_exist_is_not_found(api: Caller) -> None:
    nowhere = uuid.uuid4()
    for deed, (method, body) in ABOUT_ASSIGNMENT.items():
        assert status(api, f"assignments/{nowhere}/{deed}/", body, method) == 404, deed
    missing = Campaign(slug="no-such-campaign")
    assert_found_nowhere(Caller(missing, api.headers, api.client), nowhere, nowhere)


def in_a_session(user: User, campaign: Campaign, *, with_csrf: bool) -> Caller:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    client.get("/account/")  # sets the cookie
    cookie = next(morsel for name, morsel in client.cookies.items() if "csrf" in name)
    return Caller(campaign, {"X-CSRFToken": cookie.value} if with_csrf else {}, client)


def test_a_session_writes_with_its_csrf_token(campaign: Campaign, annotator: User) -> None:
    api = in_a_session(annotator, campaign, with_csrf=True)
    [card] = api.next().json()["cards"]
    assert api.save(card).status_code == 201
    assert api.call("progress/", method="get").json()["standing"]["labelled"] == 2


def test_a_session_without_the_csrf_token_changes_nothing(
    campaign: Campaign, annotator: User, slot: Assignment, given: Label
) -> None:
    api = in_a_session(annotator, campaign, with_csrf=False)
    found = ask_everything(api, slot.pk, given.pk)
    assert found.pop("progress/") == 200
    assert set(found.values()) == {403}, found


def test_a_token_writes_without_a_csrf_token(campaign: Campaign, annotator: User) -> None:
    api = Caller(campaign, token_of(annotator), Client(enforce_csrf_checks=True))
    [card] = api.next().json()["cards"]
    assert api.save(card).status_code == 201


def test_a_form_is_refused(campaign: Campaign, annotator: User, client_for: Callable[[User], Client]) -> None:
    answer = client_for(annotator).post(address(campaign, "next/"), {"count": "3"})
    assert answer.status_code == 415


def test_answers_are_kept_by_nobody(api: Caller, slot: Assignment) -> None:
    for answer in (
        api.call("progress/", method="get"),
        api.call(f"assignments/{uuid.uuid4()}/open/"),
    ):
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Type"] == "application/json"
