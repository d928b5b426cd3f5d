"""What is planted into a rehearsal is what the agreement figures find, from the labels in the database."""

from collections.abc import Mapping

import pytest

from annotation.agreement.alerts import AlertKind, alerts
from annotation.agreement.causes import Cause, CauseKind, causes
from annotation.agreement.dimension_labels import DimensionLabels
from annotation.agreement.disagreements import Material
from annotation.agreement.estimates import Resampling
from annotation.agreement.reading import read_campaign
from annotation.rehearsal.faults import parse_fault
from annotation.rehearsal.services import Script, rehearse, set_up
from prometheus_site.accounts.models import User
from tests.annotation.rehearsal.schemes import DEFAULT

CRISIS, MODALITY, EMPATHY = "crisis_intensity", "modality_primary", "empathy_global"
pytestmark = pytest.mark.usefixtures("committed_db")


def rehearsed(lead: User, samples: int, *faults: str) -> tuple[Mapping[str, DimensionLabels], dict[int, str]]:
    """The labels of five clinicians who all label every sample, and their codes by number."""
    planted = tuple(parse_fault(words, annotators=5, scheme=DEFAULT) for words in faults)
    script = Script(samples=samples, anchors=samples, slug="planted", faults=planted)
    campaign = set_up(script, lead=lead, say=lambda words: None)
    rehearse(campaign, script, say=lambda words: None)
    code_of = {number: User.objects.get(email=script.address(number)).code for number in range(1, 6)}
    return read_campaign(campaign).dimensions, code_of


def first_cause(labels: DimensionLabels) -> Cause:
    """The cause that costs most alpha."""
    return causes(Material(labels.ratings, labels.scale, resampling=Resampling(200))).ranked[0]


def test_one_biased_one_lazy_and_one_drifting_clinician_are_named_and_nobody_else(lead: User) -> None:
    dimensions, code_of = rehearsed(lead, 210, "biased:1", "lazy:2", "drifting:3")
    raised = {
        (key, alert.kind, alert.rater)
        for key, labels in dimensions.items()
        for alert in alerts(labels.ratings, labels.scale, labels.course)
    }
    assert {rater for _, _, rater in raised} == {code_of[1], code_of[2], code_of[3]}
    for key in (CRISIS, EMPATHY):
        assert (key, AlertKind.BIAS, code_of[1]) in raised
    for key in (CRISIS, MODALITY, EMPATHY):
        assert (key, AlertKind.ONE_ANSWER, code_of[2]) in raised
        assert (key, AlertKind.SPEED, code_of[2]) in raised
    assert (CRISIS, AlertKind.DRIFT, code_of[3]) in raised


def test_two_codes_that_one_swaps_and_two_levels_that_nobody_tells_apart_each_come_first(lead: User) -> None:
    swap, merger = f"swapped:2:{MODALITY}:cbt:supportive", f"merged:{CRISIS}:1:2"
    dimensions, code_of = rehearsed(lead, 80, swap, merger)
    swapped, merged = first_cause(dimensions[MODALITY]), first_cause(dimensions[CRISIS])
    assert (swapped.kind, swapped.of) == (CauseKind.SWAPPED_CODES, (code_of[2], "cbt", "supportive"))
    assert (merged.kind, merged.of) == (CauseKind.CONFUSED_CODES, ("1", "2"))


def test_two_clinicians_who_read_higher_come_first(lead: User) -> None:
    dimensions, code_of = rehearsed(lead, 80, "biased:2", "biased:4")
    for key in (CRISIS, EMPATHY):
        cause = first_cause(dimensions[key])
        assert cause.kind is CauseKind.TWO_CLINICIANS
        assert set(cause.of) == {code_of[2], code_of[4]}
