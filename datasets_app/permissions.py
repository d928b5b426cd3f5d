"""Who may see the data pages: leads everything, engineers the counts and never a text."""

from prometheus_site.accounts.permissions import require_role
from prometheus_site.accounts.roles import Role

COUNT_READERS = (Role.LEAD, Role.ENGINEER)

requires_lead = require_role(Role.LEAD)
requires_count_reader = require_role(*COUNT_READERS)
