"""A database in which every append-only table has a row, and looks at its rows."""

from psycopg import sql

from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import anchor_heads, record_access
from tests import people
from tests.annotation.worlds import label, make_campaign


def fill() -> None:
    """Store a label with a note, its correction's neighbours, an access event and an anchor."""
    lead, annotator = people.make("lead", Role.LEAD), people.make("annotator", Role.ANNOTATOR)
    campaign = make_campaign(lead, [annotator], samples=2, labels_per_sample=1)
    label(campaign, annotator, 1, note="She said this in confidence.")
    record_access(actor=lead, action=Action.VIEWED, obj_type="sample", obj_id="1")
    anchor_heads()


def rows_of(table: str) -> sql.Composed:
    """Return a query for the number of rows of a table and a digest of all that they hold."""
    query = "SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM {} AS t"
    return sql.SQL(query).format(sql.Identifier(table))
