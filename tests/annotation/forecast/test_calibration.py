"""The interval holds what it says in campaigns that keep to none of the forecast's assumptions."""

from benchmarks.bench_forecast import ASKED_AT, ask, coverage

CAMPAIGNS, PLAYS = 50, 200


def test_eight_of_ten_campaigns_are_done_within_the_interval() -> None:
    """70 to 90 % of 200 campaigns is the benchmark's; so few as here are given a little room."""
    asked = [one for one in ask(CAMPAIGNS, PLAYS) if one.told.days is not None]
    assert len(asked) > 0.9 * len(ASKED_AT) * CAMPAIGNS
    assert 0.68 <= coverage(asked) <= 0.92
