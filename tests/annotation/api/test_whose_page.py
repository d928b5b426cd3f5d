"""A labelling page sends under its own person's name or not at all."""

from collections.abc import Callable

from django.test import Client

from annotation.models import Campaign
from prometheus_site.accounts.models import User


def test_a_page_of_somebody_else_is_signed_out(
    campaign: Campaign, annotator: User, second_annotator: User, client_for: Callable[[User], Client]
) -> None:
    """Another person signed in on the same machine: what waits in the first one's page is not theirs."""
    client, address = client_for(second_annotator), f"/api/v1/campaigns/{campaign.slug}/next/"
    theirs = {"X-Person": annotator.code}
    assert client.post(address, {}, content_type="application/json", headers=theirs).status_code == 401
    own = {"X-Person": second_annotator.code}
    assert client.post(address, {}, content_type="application/json", headers=own).status_code == 200
