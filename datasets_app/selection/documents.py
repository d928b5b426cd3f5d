"""The picks and the report as documents: reasons, scores and chances, never a word of text."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from datasets_app.compile.contract import Count, Name


class Reason(StrEnum):
    """Why a unit was picked."""

    COVERAGE = "coverage"
    CATEGORY_FLOOR = "category_floor"
    SEVERE_FLOOR = "severe_floor"
    RANDOM = "random"


Chance = Annotated[float, Meta(gt=0, le=1)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of what is written: it has exactly the fields named here."""


class PickedUnit(_Part, frozen=True, kw_only=True):
    """One pick: where it stands, what it is, why it was picked, and with which chance."""

    number: Count  # drawn by lot, so that it tells nothing
    reason: Reason
    inclusion_probability: Chance
    seed: int
    scores: dict[str, float]
    category: Name
    topic: str  # what people may opt out of: as the source declares it, else the category, else nothing
    difficulty: Name
    origin: Name
    is_estimated_severe: bool
    content_hash: Name
    source_family: Name
    source: Name
    source_key: Name
    license_tag: Name
    is_synthetic: bool
    group: Name
    shard_id: Name
    line: Count
    window_start: Count
    window_stop: Count


class PoolFacts(_Part, frozen=True, kw_only=True):
    """What there was to pick from."""

    conversations: Count
    for_test: Count  # left out, and every holdout with them
    windows: Count
    clusters: Count


class FloorFacts(_Part, frozen=True, kw_only=True):
    """How many picks of something were wanted at least, how many clusters have it, how many were picked."""

    name: str
    wanted: Count
    available: Count
    found: Count


class StratumFacts(_Part, frozen=True, kw_only=True):
    """A stratum: the clusters in it, what the allocation wanted of it, and the picks with those at random."""

    category: str
    difficulty: str
    origin: str
    is_severe: bool
    available: Count
    wanted: Count
    found: Count


class ScoreFacts(_Part, frozen=True, kw_only=True):
    """A score's histogram over the frame and over the picks."""

    name: str
    frame: list[Count]
    picks: list[Count]


class RandomFacts(_Part, frozen=True, kw_only=True):
    """The random part: how many were drawn from how many."""

    picks: Count
    rest: Count


class Report(_Part, frozen=True, kw_only=True):
    """What was picked and why, in numbers; `effective_picks` is Kish's size for a weighted mean."""

    policy_version: str
    build_id: Name
    seed: int
    wanted: Count
    found: Count
    pool: PoolFacts
    at_random: RandomFacts
    reasons: dict[str, Count]
    categories: list[FloorFacts]
    severe: FloorFacts
    strata: list[StratumFacts]
    scores: list[ScoreFacts]
    effective_picks: float
    similarity: float
    shortfalls: list[str]
