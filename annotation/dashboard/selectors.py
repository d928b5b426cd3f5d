"""Read the overview of a campaign: its numbers, its people, its days, its agreement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from annotation.agreement.selectors import Agreement, agreement_of
from annotation.dashboard.figures import (
    FIGURES,
    Number,
    count_of,
    counts_by,
    number,
    severe_codes,
    slots_by_person,
)
from annotation.labelling.selectors import scheme_of
from annotation.models import Assignment, Campaign, LabelUndo, Pass
from annotation.wellbeing.exposure import doses_in
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role

LABELS_BY_PERSON = ("corrections", "notes", "severe")
COUNTED = ("samples", "finished", "withdrawn", "flagged", "given", "locked", "unlocked", "outside")
CLOSED_TO_THE_BLIND = frozenset({"notes", "severe", "flagged"})
DAYS_SHOWN = 14


@dataclass(frozen=True)
class Person:
    """What one person has done; ``numbers`` by figure. What is left stands nowhere by person: it would fall
    with every pass.

    ``dose`` of severe texts read here, as care counts it. It opens no list: beside the labels given, that
    would tell what the person opened and then passed.
    """

    user: User
    numbers: Mapping[str, Number]
    dose: int


@dataclass(frozen=True)
class Day:
    """The labels given on one day, beside the most of any day shown."""

    day: str
    given: Number
    most: int


@dataclass(frozen=True)
class Overview:
    """Everything on the dashboard that changes and is not in its pulse; ``totals`` by figure.

    For a blind reader it leaves out what tells how others answered, or that they had doubts; for everybody
    what the scheme does not measure. Undone labels
    and passes are counted for the whole campaign and listed nowhere: nobody is asked about them.
    """

    totals: Mapping[str, Number]
    people: Sequence[Person]
    guidelines: Sequence[tuple[str, Number]]
    days: Sequence[Day]
    agreements: Sequence[tuple[Agreement, Number]]
    undone: int
    passes: int
    is_blind: bool


def overview_of(campaign: Campaign, *, is_blind: bool) -> Overview:
    """Return the numbers of a campaign. The queries do not grow with its people or samples."""

    closed = CLOSED_TO_THE_BLIND if is_blind else frozenset[str]()
    not_measured = frozenset[str]() if severe_codes(campaign) else {"severe"}

    def shown(keys: Sequence[str]) -> list[str]:
        return [key for key in keys if key not in closed | not_measured]

    by_person = slots_by_person(campaign)
    by_person |= {key: counts_by("person", key, campaign) for key in shown(LABELS_BY_PERSON)}
    totals = {key: sum(counts.values()) for key, counts in by_person.items()}
    totals |= {key: count_of(key, campaign) for key in shown(COUNTED)}
    by_guideline = counts_by("guideline", "standing", campaign)
    return Overview(
        totals={key: number(key, campaign, value) for key, value in totals.items()},
        people=_people(campaign, by_person),
        guidelines=[
            (version, number("standing", campaign, count, guideline=version))
            for version, count in sorted(by_guideline.items())
        ],
        days=_days(campaign),
        agreements=[] if is_blind else _agreements(campaign),
        undone=LabelUndo.objects.filter(label__campaign=campaign).count(),
        passes=Pass.objects.filter(assignment__campaign=campaign, taken_back_at__isnull=True).count(),
        is_blind=is_blind,
    )


def people_of(campaign: Campaign) -> QuerySet[User]:
    """Return who labels in the campaign now or has had slots in it."""
    planned = Assignment.objects.filter(campaign=campaign).values("annotator")
    members = campaign.members.filter(
        left_at__isnull=True,
        user__role_grants__role=Role.ANNOTATOR,
        user__role_grants__revoked_at__isnull=True,
    )
    return User.objects.filter(Q(pk__in=planned) | Q(pk__in=members.values("user"))).order_by("code")


def _people(campaign: Campaign, by_person: Mapping[str, Mapping[str, int]]) -> list[Person]:
    doses = doses_in(campaign)
    return [
        Person(
            user,
            {
                key: number(key, campaign, counts.get(user.code, 0), person=user.code)
                for key, counts in by_person.items()
                if "person" in FIGURES[key].narrowed_by
            },
            doses.get(user.code, 0),
        )
        for user in people_of(campaign)
    ]


def _days(campaign: Campaign) -> list[Day]:
    newest = sorted(counts_by("day", "given", campaign).items(), reverse=True)[:DAYS_SHOWN]
    most = max((count for _, count in newest), default=0)
    return [Day(day, number("given", campaign, count, day=day), most) for day, count in newest]


def _agreements(campaign: Campaign) -> list[tuple[Agreement, Number]]:
    """Return each dimension's agreement with the overlap items that it rests on."""
    return [
        (
            found,
            number("overlap-items", campaign, found.estimate.n_items_overlap, dimension=found.dimension.key),
        )
        for found in agreement_of(campaign, scheme_of(campaign))
    ]
