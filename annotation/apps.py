"""Annotation application."""

from django.apps import AppConfig

from prometheus_site.core.navigation import NavLink, add_link


class AnnotationConfig(AppConfig):
    name = "annotation"
    verbose_name = "Annotation"

    def ready(self) -> None:
        from annotation.campaigns.selectors import CAMPAIGN_ROLES
        from annotation.labelling import record
        from annotation.models import Label, LabelUndo
        from prometheus_site.audit.verification import cover

        cover(record.KIND, record.payloads_of, Label)
        cover(record.UNDO_KIND, record.undo_payloads_of, LabelUndo)
        add_link(
            NavLink(
                10, "Campaigns", "annotation:campaigns", "tag", lambda user: user.has_role(*CAMPAIGN_ROLES)
            )
        )
