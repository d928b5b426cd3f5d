"""A database in which every append-only table has a row, and looks at its rows."""

import uuid

from psycopg import sql

from annotation.blindness import record_campaign_labels_read
from annotation.labelling.services import undo_label
from annotation.labelling.unlabelled import flag_sample
from annotation.models import Campaign, FlagKind
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import anchor_heads, record_access
from tests import people
from tests.annotation.worlds import label, make_campaign


def fill() -> Campaign:
    """Store a label with a note, its correction's neighbours, an access event and an anchor."""
    lead, annotator = people.make("lead", Role.LEAD), people.make("annotator", Role.ANNOTATOR)
    campaign = make_campaign(lead, [annotator], samples=2, labels_per_sample=1)
    label(campaign, annotator, 1, note="She said this in confidence.")
    record_access(actor=lead, action=Action.VIEWED, obj_type="sample", obj_id="1")
    anchor_heads()
    return campaign


def fill_every_table() -> None:
    """Store also an undone label, a flag and who has opened the labels."""
    campaign = fill()
    annotator = User.objects.get(email__startswith="annotator")
    undone = label(campaign, annotator, 2, locks=False)
    undo_label(annotator=annotator, label=undone)
    flag_sample(
        annotator=annotator, assignment=undone.assignment, kind=FlagKind.OTHER, words="", key=uuid.uuid4()
    )
    record_campaign_labels_read(reader=User.objects.get(email__startswith="lead"), campaign=campaign)


def rows_of(table: str) -> sql.Composed:
    """Return a query for the number of rows of a table and a digest of all that they hold."""
    query = "SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM {} AS t"
    return sql.SQL(query).format(sql.Identifier(table))
