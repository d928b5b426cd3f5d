"""The cheap question asked once a second while somebody watches: has anything happened in the campaign?"""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from annotation.models import Campaign, SampleFlag

WORKING_MINUTES = 5  # who was not seen for longer is not working now

# Every part reads a few entries of an index, or a table as small as the team: it costs the same at a million
# samples. A minute of labels is counted, because one may be committed after another that was made later.
SIGNS = """
WITH newest AS (SELECT max(created_at) AS label FROM annotation_label WHERE campaign_id = %(campaign)s)
SELECT
    (SELECT label FROM newest),
    (SELECT count(*) FROM annotation_label, newest
     WHERE campaign_id = %(campaign)s AND created_at > newest.label - interval '1 minute'),
    (SELECT row(count(*), sum(extract(epoch FROM started_at)))::text FROM annotation_sitting
     WHERE campaign_id = %(campaign)s AND ended_at IS NULL),
    (SELECT count(*) FROM annotation_labelwithdrawal WHERE campaign_id = %(campaign)s),
    (SELECT row(count(*), sum(extract(epoch FROM leased_until)))::text FROM annotation_assignment
     WHERE campaign_id = %(campaign)s AND state = 'leased'),
    (SELECT max(number) FROM annotation_planrevision WHERE campaign_id = %(campaign)s),
    (SELECT row(count(*), count(left_at), count(paused_at))::text FROM annotation_campaignmember
     WHERE campaign_id = %(campaign)s),
    (SELECT row(state, guideline_id, due_on)::text FROM annotation_campaign WHERE id = %(campaign)s),
    (SELECT count(*) FROM annotation_sampleintake WHERE campaign_id = %(campaign)s),
    (SELECT count(*) FROM annotation_checkpointreport WHERE campaign_id = %(campaign)s),
    (SELECT count(*) FROM datasets_app_source WHERE withdrawn_at IS NOT NULL),
    now()::date,
    (SELECT row(count(*) FILTER (WHERE last_seen_at >= now() - %(working)s * interval '1 minute'),
                sum(extract(epoch FROM last_seen_at)))::text
     FROM annotation_sitting WHERE campaign_id = %(campaign)s AND ended_at IS NULL)
"""


@dataclass(frozen=True)
class Signs:
    """What moves when something happens: ``work`` with the numbers, ``presence`` with the people at work.

    ``labels`` moves whenever one may have locked: as it does, its maker saves another or ends a sitting.
    """

    labels: tuple[object, ...]
    work: tuple[object, ...]
    presence: str

    @property
    def labels_digest(self) -> str:
        """``labels`` in short."""
        return _digest(self.labels)


def signs_of(campaign_id: UUID) -> Signs:
    """Return the signs as they are now."""
    with connection.cursor() as cursor:
        cursor.execute(SIGNS, {"campaign": campaign_id, "working": WORKING_MINUTES})
        newest, in_last_minute, sittings, withdrawals, *work, presence = cursor.fetchone()
    return Signs((newest, in_last_minute, sittings, withdrawals), tuple(work), presence)


def version_of(campaign: Campaign) -> str:
    """Return a digest that changes whenever a number of the overview can have changed."""
    flags = SampleFlag.objects.filter(assignment__campaign=campaign).count()
    signs = signs_of(campaign.pk)
    return _digest((signs.labels, signs.work, flags))


def _digest(value: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]
