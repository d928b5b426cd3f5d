"""The overview: who may open it, what it says of agreement, and what it costs."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.agreement.selectors import agreement_of
from annotation.labelling.selectors import scheme_of
from annotation.labelling.services import correct_label
from annotation.models import Campaign
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent
from tests import people
from tests.annotation.dashboard.busy import Page, first_slots, third_annotator
from tests.annotation.worlds import label, make_campaign, submission

SignIn = Callable[[User], Client]
QUERY_LIMIT = 52
PAGES = ("dashboard", "figure", "sample")


def test_opens_for_a_lead_of_the_campaign(lead: User, annotator: User, client_for: SignIn) -> None:
    campaign = make_campaign(lead, [annotator], samples=2)
    response = client_for(lead).get(_address(campaign))
    assert response.status_code == 200
    assert annotator.code in response.content.decode()
    assert not AccessEvent.objects.filter(action="changed").exclude(object_type="campaign").exists()


@pytest.mark.parametrize("role", ["annotator", "adjudicator", "supervisor", "engineer", "outsider"])
def test_is_not_there_for_other_roles(
    role: str, lead: User, client_for: SignIn, request: pytest.FixtureRequest
) -> None:
    person: User = request.getfixturevalue(role)
    campaign = make_campaign(lead, [person], samples=1)
    client = client_for(person)
    assert [client.get(_address(campaign, page)).status_code for page in PAGES] == [404, 404, 404]


def test_is_not_there_for_a_lead_of_another_campaign(lead: User, annotator: User, client_for: SignIn) -> None:
    elsewhere = people.make("other-lead", Role.LEAD)
    campaign = make_campaign(lead, [annotator], samples=1)
    make_campaign(elsewhere, [annotator], samples=1, slug="elsewhere")
    client = client_for(elsewhere)
    assert [client.get(_address(campaign, page)).status_code for page in PAGES] == [404, 404, 404]


def test_takes_no_post(lead: User, annotator: User, client_for: SignIn) -> None:
    campaign = make_campaign(lead, [annotator], samples=1)
    client = client_for(lead)
    assert [client.post(_address(campaign, page)).status_code for page in PAGES] == [405, 405, 405]


def test_shows_no_alpha_while_collecting(
    lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator], samples=3)
    for number in (1, 2):
        label(campaign, annotator, number, answers={"empathy_global": str(number)})
        label(campaign, second_annotator, number, answers={"empathy_global": str(number + 1)})
    html = client_for(lead).get(_address(campaign)).content.decode()
    assert "Collecting" in html
    assert "95 % interval" not in html


def test_says_why_an_alpha_cannot_be_estimated(
    lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator], samples=50)
    _label_everything(campaign)
    html = client_for(lead).get(_address(campaign)).content.decode()
    assert "95 % interval" not in html
    assert "No variation" in html


def test_says_that_a_simulated_campaign_is_simulated(lead: User, client_for: SignIn) -> None:
    program = User.objects.create_user("program@example.org", None, "Program")
    program.is_simulated = True
    program.save()
    campaign = make_campaign(lead, [program], samples=1, is_simulated=True)
    for page in PAGES:
        html = client_for(lead).get(_address(campaign, page)).content.decode()
        assert "Rehearsal: these labels were made by a program" in html
        assert "imulated" in html


def test_gives_a_steady_interval_and_no_verdict_on_the_target(
    lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator], samples=50)
    _label_everything(campaign, vary=True)
    html = client_for(lead).get(_address(campaign)).content.decode()
    assert html.count("alpha 1.000") == 3
    assert "0.85" in html
    for verdict in ("> Met</span>", "Not met", "Undecided"):
        assert verdict not in html
    assert agreement_of(campaign, scheme_of(campaign)) == agreement_of(campaign, scheme_of(campaign))


def test_a_refresh_brings_the_figures_only_when_one_has_changed(
    lead: User, annotator: User, client_for: SignIn
) -> None:
    campaign = make_campaign(lead, [annotator], samples=2)
    client = client_for(lead)
    again = _refresh_address(client.get(_address(campaign)).content)
    assert client.get(again, headers={"HX-Request": "true"}).status_code == 204
    given = label(campaign, annotator, 1)
    changed = client.get(again, headers={"HX-Request": "true"})
    assert changed.status_code == 200
    again = _refresh_address(changed.content)
    assert client.get(again, headers={"HX-Request": "true"}).status_code == 204
    correct_label(annotator=annotator, label=given, submission=submission(campaign, reason="slipped"))
    assert client.get(again, headers={"HX-Request": "true"}).status_code == 200
    assert changed.content.decode().lstrip().startswith('<div id="live"')
    assert [link.text for link in Page(changed.content.decode()).links if link.anchor == "figure-given"] == [
        "1"
    ]


def test_queries_do_not_grow_with_people_or_labels(
    lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    small = make_campaign(lead, [annotator], samples=2, slug="small")
    large = make_campaign(lead, [annotator, second_annotator, third_annotator()], samples=12, slug="large")
    client, spent = client_for(lead), {}
    client.get(_address(small))
    for campaign in (small, large):
        _label_everything(campaign)
        with CaptureQueriesContext(connection) as queries:
            client.get(_address(campaign))
        spent[campaign.slug] = len(queries)
    assert spent["large"] == spent["small"] <= QUERY_LIMIT


def test_a_refresh_brings_the_pulse_as_well(lead: User, annotator: User, client_for: SignIn) -> None:
    campaign = make_campaign(lead, [annotator], samples=2)
    client = client_for(lead)
    again = _refresh_address(client.get(_address(campaign)).content)
    label(campaign, annotator, 1, locks=False)
    html = client.get(again, headers={"HX-Request": "true"}).content.decode()
    assert '<div id="pulse" class="pulse" hx-swap-oob="true">' in html
    assert html.count(f'<th scope="row">{annotator.code}</th>') == 2, "at work, and among the people"


def test_the_dashboard_measures_codes_and_names_nobody(
    lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator], samples=2)
    for person in (annotator, second_annotator):
        label(campaign, person, 1)
    client = client_for(lead)
    raters = reverse("annotation:figure", args=[campaign.slug, "raters"])
    for address in (_address(campaign), f"{raters}?dimension=crisis_intensity"):
        html = client.get(address).content.decode()
        assert annotator.code in html
        assert annotator.display_name not in html.replace(lead.display_name, "")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_the_page_may_connect_to_its_stream_alone(
    host: str, lead: User, annotator: User, client_for: SignIn
) -> None:
    campaign = make_campaign(lead, [annotator], samples=1)
    client = client_for(lead)
    answer = client.get(_address(campaign), headers={"Host": host})
    origin = f"http://{host.removesuffix('8000')}{settings.STREAMS_PORT}"
    assert f'data-stream="{origin}/streams/campaigns/made-up/pulse/"' in answer.content.decode()
    assert _may_connect_to(answer) == ["'self'", origin]
    other = client.get(_address(campaign, "figure"), headers={"Host": host})
    assert _may_connect_to(other) == ["'self'"]


def test_behind_a_proxy_the_stream_is_on_the_sites_own_address(
    lead: User, annotator: User, client_for: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make_campaign(lead, [annotator], samples=1)
    client = client_for(lead)
    monkeypatch.setattr(settings, "SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https"))
    secure = {"Host": "localhost", "X-Forwarded-Proto": "https"}
    answer = client.get(_address(campaign), headers=secure)
    assert 'data-stream=""' in answer.content.decode(), "no secure page asks a plain port"
    assert _may_connect_to(answer) == ["'self'"]
    monkeypatch.setattr(settings, "STREAMS_URL", "https://localhost")
    html = client.get(_address(campaign), headers=secure).content.decode()
    assert 'data-stream="https://localhost/streams/campaigns/made-up/pulse/"' in html


def _may_connect_to(answer: HttpResponseBase) -> list[str]:
    policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
    return policy["connect-src"].split()


def _refresh_address(content: bytes) -> str:
    return content.decode().split('hx-get="')[1].split('"')[0]


def _label_everything(campaign: Campaign, *, vary: bool = False) -> None:
    for slot in first_slots(campaign):
        number = slot.sample.number
        changed: dict[str, object] = (
            {
                "crisis_intensity": "0" if number % 2 else "1",
                "modality_primary": "cbt" if number % 3 else "dbt",
                "empathy_global": str(1 + number % 5),
            }
            if vary
            else {}
        )
        if vary and number % 2 == 0:
            changed |= {"crisis_types": ["other"], "suicidal_behaviour": "none"}
        label(campaign, slot.annotator, number, answers=changed)


def _address(campaign: Campaign, page: str = "dashboard") -> str:
    more: dict[str, list[object]] = {"dashboard": [], "figure": ["given"], "sample": [1]}
    return reverse(f"annotation:{page}", args=[campaign.slug, *more[page]])
