"""Who may see the data pages: leads everything, engineers the counts and never a text. Both run phase 1."""

from prometheus_site.accounts.permissions import require_role
from prometheus_site.accounts.roles import Role

COUNT_READERS = (Role.LEAD, Role.ENGINEER)
RUNNERS = (Role.LEAD, Role.ENGINEER)  # a run shows figures alone

requires_lead = require_role(Role.LEAD)
requires_count_reader = require_role(*COUNT_READERS)
requires_runner = require_role(*RUNNERS)
