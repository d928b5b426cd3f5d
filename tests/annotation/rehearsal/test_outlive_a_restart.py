"""A rehearsal over HTTP works for minutes, and the database may be restarted meanwhile."""

import pytest
from django.db import connection

from annotation.models import Campaign
from annotation.rehearsal import services
from annotation.rehearsal.annotator import Annotator
from prometheus_site.accounts.models import User
from tests.annotation.worlds import make_campaign


@pytest.mark.usefixtures("committed_db")
def test_it_holds_no_connection_while_they_work(
    lead: User, annotator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign: Campaign = make_campaign(lead, [annotator], samples=2)
    held: list[object] = []

    def work(annotators: dict[str, Annotator]) -> None:
        held.append(connection.connection)

    monkeypatch.setattr(services, "_work_together", work)
    services.rehearse(campaign, services.Script(), base_url="http://127.0.0.1:9", say=lambda words: None)
    assert held
    assert set(held) == {None}
