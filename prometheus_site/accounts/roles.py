"""The six roles and what each may do on the site as a whole."""

from django.db import models


class Role(models.TextChoices):
    ANNOTATOR = "annotator", "Annotator"
    ADJUDICATOR = "adjudicator", "Adjudicator"
    LEAD = "lead", "Lead"
    SUPERVISOR = "supervisor", "Supervisor"
    ENGINEER = "engineer", "Engineer"
    APPLICANT = "applicant", "Applicant"


# Whoever can see other people's labels, sessions or the machinery needs a second factor.
ROLES_WITH_SECOND_FACTOR = frozenset({Role.LEAD, Role.ADJUDICATOR, Role.SUPERVISOR, Role.ENGINEER})

# Roles that may open the board (the admin index); what they find there is decided page by page.
STAFF_ROLES = frozenset({Role.LEAD, Role.ENGINEER})
