"""Every number of the dashboard is a link whose list has exactly that many rows."""

import math
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import krippendorff
import pytest
from django.test import Client
from django.urls import reverse

from annotation.dashboard.figures import FIGURES
from annotation.dashboard.listing import ROWS_PER_PAGE
from annotation.schemes.definition import parse_scheme
from prometheus_site.accounts.models import User
from tests.annotation.dashboard.busy import BusyWorld, Page, make_busy_world, pages_of, third_annotator

SignIn = Callable[[User], Client]


@pytest.fixture
def world(lead: User, annotator: User, second_annotator: User) -> BusyWorld:
    return make_busy_world(lead, [annotator, second_annotator, third_annotator()])


def test_every_number_is_the_length_of_its_list(world: BusyWorld, lead: User, client_for: SignIn) -> None:
    client = client_for(lead)
    shown = [_page(client, "dashboard", world), _page(client, "agreement", world)]
    assert all(len(page.ids) == len(set(page.ids)) for page in shown)
    links = {link.url: link for page in shown for link in page.links}
    assert {link.figure for link in links.values()} == set(FIGURES)
    highest = dict.fromkeys(FIGURES, 0)
    for link in links.values():
        pages = pages_of(client, link.url)
        assert sum(page.row_count for page in pages) == int(link.text), link.url
        assert all(page.heading_count == link.text for page in pages), link.url
        highest[link.figure] = max(highest[link.figure], int(link.text))
    assert not [figure for figure, value in highest.items() if value == 0], "the world must try every figure"
    assert highest["given"] > ROWS_PER_PAGE, "some list must have a second page"


def test_alpha_follows_from_its_list(world: BusyWorld, lead: User, client_for: SignIn) -> None:
    client = client_for(lead)
    scheme = parse_scheme(world.campaign.scheme.definition)
    alphas = _page(client, "agreement", world).alphas
    assert len(alphas) == 3
    for url, shown in alphas:
        dimension = scheme.dimension(parse_qs(urlsplit(url).query)["dimension"][0])
        items = [item for page in pages_of(client, url) for item in page.items]
        raters = sorted({code for item in items for code in item})
        ordinal = {code: place for place, code in enumerate(dimension.codes)}
        table = [[ordinal[item[code]] if code in item else math.nan for item in items] for code in raters]
        alpha = krippendorff.alpha(
            reliability_data=table,
            level_of_measurement="ordinal" if dimension.scale == "ordinal" else "nominal",
            value_domain=list(range(len(dimension.codes))),
        )
        assert f"{alpha:.3f}" == shown, dimension.key


def _page(client: Client, name: str, world: BusyWorld) -> Page:
    response = client.get(reverse(f"annotation:{name}", args=[world.campaign.slug]))
    assert response.status_code == 200
    return Page(response.content.decode())
