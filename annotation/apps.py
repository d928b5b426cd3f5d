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
        from prometheus_site.accounts.roles import Role
        from prometheus_site.audit.verification import cover

        cover(record.KIND, record.payloads_of, Label)
        cover(record.UNDO_KIND, record.undo_payloads_of, LabelUndo)
        for order, label, page, icon in (
            (11, "Documents", "documents", "file-text"),
            (12, "Training", "training", "book-open"),
        ):
            add_link(
                NavLink(order, label, f"annotation:{page}", icon, lambda user: user.has_role(Role.APPLICANT))
            )
        add_link(
            NavLink(
                15, "Care", "annotation:care", "heart-handshake", lambda user: user.has_role(Role.ANNOTATOR)
            )
        )
        add_link(
            NavLink(
                10, "Campaigns", "annotation:campaigns", "tag", lambda user: user.has_role(*CAMPAIGN_ROLES)
            )
        )
