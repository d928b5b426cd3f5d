"""What this database is: a demo, or the real thing."""

from prometheus_site.core.models import Installation


def is_demo() -> bool:
    """Say whether this database was marked as a demo when it was filled."""
    return Installation.objects.filter(is_demo=True).exists()


def mark_demo() -> None:
    """Mark this database as a demo for ever; only done while it is empty."""
    Installation.objects.update_or_create(id=1, defaults={"is_demo": True})
