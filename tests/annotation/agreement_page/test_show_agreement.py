"""The agreement page: who may open it, what it says, and what it costs."""

from collections.abc import Callable
from html import unescape

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.agreement.distances import Scale, weighting_of
from annotation.agreement.pairs import pair_kappas
from annotation.agreement.reading import SEED, read_campaign
from annotation.agreement.statistics import krippendorff_alpha
from annotation.agreement_page import current
from annotation.checkpoints.freezing import freeze_due_looks
from annotation.checkpoints.services import declare_first_looks
from annotation.labelling.selectors import scheme_of
from annotation.models import Campaign, CampaignState, EndRequest
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.agreement_page.agreed import give, make_agreed
from tests.annotation.dashboard.busy import Page
from tests.annotation.worlds import label, make_campaign

SignIn = Callable[[User], Client]
CRISIS = "crisis_intensity"
QUERY_LIMIT = 30


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_agreed(lead, [annotator, second_annotator])


@pytest.fixture
def small(lead: User, annotator: User, second_annotator: User) -> Campaign:
    made = make_campaign(lead, [annotator, second_annotator], samples=3, slug="small")
    for number in (1, 2):
        label(made, annotator, number, answers={"empathy_global": str(number)})
        label(made, second_annotator, number, answers={"empathy_global": str(number + 1)})
    return made


def test_opens_for_a_lead_and_shows_every_dimension(small: Campaign, lead: User, client_for: SignIn) -> None:
    client = client_for(lead)
    for dimension in scheme_of(small).dimensions:
        response = client.get(_address(small), {"dimension": dimension.key})
        assert response.status_code == (200 if dimension.is_headline else 404), dimension.key
    assert client.get(_address(small), {"dimension": "nothing"}).status_code == 404


@pytest.mark.parametrize("role", ["annotator", "adjudicator", "supervisor", "engineer", "outsider"])
def test_is_not_there_for_other_roles(
    role: str, lead: User, client_for: SignIn, request: pytest.FixtureRequest
) -> None:
    person: User = request.getfixturevalue(role)
    made = make_campaign(lead, [person], samples=1)
    client = client_for(person)
    assert client.get(_address(made)).status_code == 404
    for name in ("reveal_names", "hide_names"):
        assert client.post(reverse(f"annotation:{name}", args=[made.slug])).status_code == 404


def test_is_not_there_for_a_lead_of_another_campaign(small: Campaign, client_for: SignIn) -> None:
    elsewhere = people.make("other-lead", Role.LEAD)
    make_campaign(elsewhere, [], samples=1, slug="elsewhere")
    client = client_for(elsewhere)
    assert client.get(_address(small)).status_code == 404
    assert client.post(reverse("annotation:reveal_names", args=[small.slug])).status_code == 404


def test_takes_only_its_own_methods(small: Campaign, lead: User, client_for: SignIn) -> None:
    client = client_for(lead)
    assert client.post(_address(small)).status_code == 405
    for name in ("reveal_names", "hide_names"):
        assert client.get(reverse(f"annotation:{name}", args=[small.slug])).status_code == 405


def test_shows_no_number_and_no_verdict_while_collecting(
    small: Campaign, lead: User, client_for: SignIn
) -> None:
    html = client_for(lead).get(_address(small), {"dimension": "empathy_global"}).content.decode()
    assert Page(html).alphas == []
    assert "Collecting" in html
    for too_much in ("95 % interval 0", "Target met", "Target not met", "Undecided"):
        assert too_much not in html


def test_says_what_is_missing_where_no_sample_has_two_labels(
    lead: User, annotator: User, client_for: SignIn
) -> None:
    made = make_campaign(lead, [annotator], samples=1)
    html = client_for(lead).get(_address(made)).content.decode()
    assert "No sample has two labels yet" in html


def test_says_that_a_simulated_campaign_is_simulated(lead: User, client_for: SignIn) -> None:
    program = User.objects.create_user("program@example.org", None, "Program")
    program.is_simulated = True
    program.save()
    made = make_campaign(lead, [program], samples=1, is_simulated=True)
    html = client_for(lead).get(_address(made)).content.decode()
    assert "Rehearsal: these labels were made by a program" in html
    assert html.count("simulated labels") == 3, "with every figure"


def test_numbers_are_those_of_the_pure_functions(
    campaign: Campaign, lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    html = client_for(lead).get(_address(campaign)).content.decode()
    labels = read_campaign(campaign).dimensions[CRISIS]
    alpha = krippendorff_alpha(labels.ratings.counts, Scale.ORDINAL, seed=SEED)
    assert f"{alpha.value:.3f}</a>" in html
    assert f"95 % interval {alpha.ci_low:.3f} to {alpha.ci_high:.3f}" in html
    [kappa] = pair_kappas(labels.ratings, Scale.ORDINAL, weighting_of(Scale.ORDINAL)).of_pair.values()
    assert html.count(f'<strong class="number">{kappa.value:.2f}</strong>') >= 2, "in both directions"
    assert html.count("data-passes>0<") == 3, "passes stand beside every figure"


def test_the_verdict_stands_only_at_a_declared_look(
    lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    made = make_agreed(lead, [annotator, second_annotator], but_for=[55])
    declare_first_looks(campaign=made)
    client = client_for(lead)
    html = client.get(_address(made)).content.decode()
    assert html.count("No look reached yet") == 3
    assert html.count("next look at 55 items") == 3
    assert "Target not met" not in html
    for person in (annotator, second_annotator):
        give(made, person, 55)
    assert "Target not met" not in client.get(_address(made)).content.decode(), "no report is frozen yet"
    [frozen] = freeze_due_looks(made)
    html = client.get(_address(made)).content.decode()
    assert "No look reached yet" not in html
    assert "Target not met" in html, "of modality, where hardly more than half agree beyond chance"
    address = reverse("annotation:checkpoint_report", args=[made.slug, frozen.number])
    assert html.count(f'href="{address}"') == 3


def test_the_weighted_figure_decides_beside_that_of_the_set(
    campaign: Campaign, lead: User, client_for: SignIn
) -> None:
    campaign.samples.filter(number__lte=20).update(sampling_weight=0.2)
    html = client_for(lead).get(_address(campaign)).content.decode()
    labels = read_campaign(campaign).dimensions[CRISIS]
    weighted = krippendorff_alpha(labels.ratings.counts, Scale.ORDINAL, seed=SEED, weights=labels.weights)
    plain = krippendorff_alpha(labels.ratings.counts, Scale.ORDINAL, seed=SEED)
    assert f"{weighted.value:.3f}</a>" in html
    assert "design-weighted, ordinal scale" in html
    assert f'<strong class="number">{plain.value:.3f}</strong>' in html


def test_modality_is_reported_in_codes_and_in_families(
    campaign: Campaign, lead: User, client_for: SignIn
) -> None:
    html = client_for(lead).get(_address(campaign), {"dimension": "modality_primary"}).content.decode()
    [grouping] = scheme_of(campaign).groupings
    assert grouping.title in html
    assert "It never decides" in html
    assert "not applicable: A nominal scale has no mean" in html


def test_a_refresh_brings_the_figures_only_when_a_label_was_given(
    small: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    client = client_for(lead)
    again = _refresh_address(client.get(_address(small)).content)
    assert client.get(again, headers={"HX-Request": "true"}).status_code == 204
    label(small, annotator, 3)
    changed = client.get(again, headers={"HX-Request": "true"})
    assert changed.status_code == 200
    assert changed.content.decode().lstrip().startswith('<div id="agreement"')
    again = _refresh_address(changed.content)
    assert client.get(again, headers={"HX-Request": "true"}).status_code == 204


def test_figures_are_computed_once_and_shown_as_of_then_while_somebody_computes(
    small: Campaign, annotator: User
) -> None:
    dimension = scheme_of(small).dimension(CRISIS)
    known = current.figures_of(small, dimension)
    with CaptureQueriesContext(connection) as queries:
        assert current.figures_of(small, dimension).computed_at == known.computed_at
    assert len(queries) == 2, "whether a label was given, and whether a look was frozen"
    label(small, annotator, 3)
    name = f"agreement-{current.LAYOUT}-{small.pk}-{CRISIS}-computing"
    cache.add(name, True)
    assert current.figures_of(small, dimension).computed_at == known.computed_at
    cache.delete(name)
    assert current.figures_of(small, dimension).version == current.version_now(small) != known.version


def test_queries_do_not_grow_with_people_or_labels(
    small: Campaign, lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    large = make_agreed(lead, [annotator, second_annotator, people.make("third", Role.ANNOTATOR)], samples=9)
    client, spent = client_for(lead), {}
    client.get(_address(small))
    client.get(_address(large))
    for made in (small, large):
        cache.delete(f"agreement-{current.LAYOUT}-{made.pk}-{CRISIS}")
        with CaptureQueriesContext(connection) as queries:
            client.get(_address(made))
        spent[made.slug] = len(queries)
    assert spent["agreed"] == spent["small"] <= QUERY_LIMIT


def _refresh_address(content: bytes) -> str:
    return unescape(content.decode().split('hx-get="')[1].split('"')[0])


def test_a_look_that_could_not_be_measured_says_so(
    lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    made = make_campaign(lead, [annotator, second_annotator], samples=51, slug="same")
    declare_first_looks(campaign=made, declared_by=lead)
    for slot in made.assignments.filter(repeat_number=0).order_by("sample__number"):
        label(made, slot.annotator, slot.sample.number, answers={"empathy_global": "3"})
    [_] = freeze_due_looks(made)
    html = client_for(lead).get(_address(made)).content.decode()
    assert "at None items" not in html
    footer = html.partition('panel-footer cluster">')[2].partition("</p>")[0]
    assert "NOT MEASURED" in footer
    assert "Undecided" not in html


def _address(campaign: Campaign) -> str:
    return reverse("annotation:agreement", args=[campaign.slug])


def test_a_closed_campaign_is_looked_at_when_its_lead_asks(
    lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    made = make_agreed(lead, [annotator, second_annotator], but_for=[55])
    declaration = declare_first_looks(campaign=made)
    assert declaration is not None
    client = client_for(lead)
    Campaign.objects.filter(pk=made.pk).update(state=CampaignState.CLOSED)
    assert "Target not met" not in client.get(_address(made)).content.decode()
    EndRequest.objects.create(look=declaration.looks.get(is_end=True), requested_by=lead)
    freeze_due_looks(made)
    html = client.get(_address(made)).content.decode()
    assert "Target not met" in html
    assert "the first 54 overlap items" in html
