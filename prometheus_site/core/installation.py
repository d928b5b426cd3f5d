"""What this installation is: a demo or the real thing, and where people open it."""

from django.conf import settings

from prometheus_site.core.models import Installation

NO_MAIL = "django.core.mail.backends.dummy.EmailBackend"  # Django's own, which sends nothing


def is_demo() -> bool:
    """Say whether this database was marked as a demo when it was filled."""
    return Installation.objects.filter(is_demo=True).exists()


def mark_demo() -> None:
    """Mark this database as a demo for ever; only done while it is empty."""
    Installation.objects.update_or_create(id=1, defaults={"is_demo": True})


def sends_mail() -> bool:
    """Say whether this installation was told of a mail server."""
    return bool(settings.EMAIL_BACKEND != NO_MAIL)


def site_origin() -> str:
    """Return the address that people open the site at, such as ``http://localhost:8000``."""
    host = settings.ALLOWED_HOSTS[0].lstrip(".")
    return f"https://{host}" if settings.IS_HTTPS else f"http://{host}:{settings.PUBLIC_PORT}"
