"""A rehearsal with planted faults, through the labelling endpoints into the database."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Campaign, Label
from annotation.rehearsal.faults import LAZY_SECONDS
from prometheus_site.accounts.models import User

SMALL = ("--in-process", "--annotators", "3", "--samples", "12", "--anchors", "12", "--slug", "small")
CALM = (
    "--skill",
    "1",
    "--pass-share",
    "0",
    "--undo-share",
    "0",
    "--vanish-share",
    "0",
    "--mistype-share",
    "0",
)


def rehearse(*arguments: str) -> str:
    told = StringIO()
    call_command("rehearse_campaign", *SMALL, *CALM, *arguments, stdout=told)
    return told.getvalue()


def levels(number: int) -> dict[int, int]:
    """The level that the clinician gave to each sample."""
    given = Label.objects.filter(annotator__email=f"small-{number}@simulated.invalid", supersedes=None)
    return {
        sample: int(answers["crisis_intensity"])
        for sample, answers in given.values_list("sample__number", "answers")
    }


def test_each_clinician_has_the_fault_that_was_planted_and_the_others_none(lead: User) -> None:
    told = rehearse("--fault", "biased:1", "--fault", "lazy:3")
    campaign = Campaign.objects.get(slug="small")
    assert campaign.is_simulated
    assert "biased:1." in told
    assert "lazy:3." in told
    biased, plain = levels(1), levels(2)
    assert biased.keys() == plain.keys()
    assert len(plain) == 12
    assert all(biased[sample] == min(level + 1, 5) for sample, level in plain.items())
    seconds = Label.objects.filter(campaign=campaign).values_list("annotator__email", "active_seconds")
    assert {who for who, taken in seconds if taken <= LAZY_SECONDS} == {"small-3@simulated.invalid"}


def test_a_drift_begins_with_the_second_half_of_their_labels(lead: User) -> None:
    rehearse("--fault", "drifting:2")
    plain, drifted = levels(1), levels(2)
    own = Label.objects.filter(annotator__email="small-2@simulated.invalid").order_by("created_at")
    order = list(own.values_list("sample__number", flat=True))
    assert all(drifted[sample] == plain[sample] for sample in order[:6])
    assert all(drifted[sample] == min(plain[sample] + 1, 5) for sample in order[6:])


def test_a_fault_that_cannot_be_stops_before_anything_is_made(lead: User) -> None:
    with pytest.raises(CommandError, match="there is no clinician “4”"):
        rehearse("--fault", "biased:4")
    assert not Campaign.objects.filter(slug="small").exists()
