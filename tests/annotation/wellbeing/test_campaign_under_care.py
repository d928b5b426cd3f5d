"""A small campaign played under care on a moved clock: what the bench does with 5,000 samples."""

from dataclasses import replace
from datetime import timedelta

import pytest

from annotation.models import OPEN_STATES
from annotation.rehearsal.services import pair_overlaps
from annotation.wellbeing.policy import MINUTES_PER_DAY, SEVERE_PER_DAY, SEVERE_PER_SITTING
from benchmarks.bench_under_care import WHOLE, play
from prometheus_site.accounts.models import User

SMALL = replace(WHOLE, training=2, calibration=4, anchors=20, samples=200, slug="small-under-care")
LONGEST_SAMPLE_MINUTES = 10


@pytest.mark.django_db
def test_no_limit_breaks_pairs_are_balanced_and_the_end_comes(lead: User) -> None:
    played = play(SMALL, lead=lead)
    # Two severe in sequence among them; at the end, where only such are left, one may come after a rest.
    assert played.broken == []
    assert len(played.records) == 5
    for record in played.records:
        assert 0 < record.severe_of_day <= SEVERE_PER_DAY
        assert record.severe_of_sitting <= SEVERE_PER_SITTING
        assert record.minutes_of_day <= MINUTES_PER_DAY + LONGEST_SAMPLE_MINUTES
    overlaps = pair_overlaps(played.campaign).values()
    mean = sum(overlaps) / len(overlaps)
    assert len(overlaps) == 10
    # So small a campaign is as uneven as its passes fall; the bench holds 5,000 samples to 10 %.
    assert all(abs(shared - mean) <= 4 for shared in overlaps), overlaps
    assert not played.campaign.assignments.filter(state__in=OPEN_STATES).exists()
    assert played.breaks
    # A day or two of work and the rest of the last repeats are promised; days off come to it.
    promise = played.promise
    assert promise.done_on is not None
    assert promise.reached_on is not None
    assert promise.done_on <= promise.made_on + timedelta(days=3 + SMALL.repeat_after_days)
    late = promise.reached_on - promise.done_on
    assert timedelta() <= late <= timedelta(days=10)
