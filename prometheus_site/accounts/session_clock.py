"""When a session began and when it was last used, kept in the session itself."""

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

STARTED_AT, SEEN_AT = "session_started_at", "session_seen_at"  # seconds since 1970
TOUCH_EVERY_SECONDS = 60


def start(session: SessionBase, now: float) -> None:
    """Begin to count: called at sign-in."""
    session[STARTED_AT] = session[SEEN_AT] = int(now)


def ended_because(session: SessionBase, now: float) -> str | None:
    """Return the sentence that says why the session is over, or None while it is not."""
    if STARTED_AT not in session:
        return None
    if now - session[SEEN_AT] >= settings.SESSION_IDLE_MINUTES * 60:
        return (
            f"You were signed out after {settings.SESSION_IDLE_MINUTES} minutes without activity. "
            "Nothing you saved is lost."
        )
    if now - session[STARTED_AT] >= settings.SESSION_ABSOLUTE_HOURS * 3600:
        return (
            f"You were signed out because you signed in {settings.SESSION_ABSOLUTE_HOURS} hours ago. "
            "Nothing you saved is lost."
        )
    return None


def touch(session: SessionBase, now: float) -> None:
    """Note that the session is in use, at most once a minute."""
    if STARTED_AT not in session:
        start(session, now)
    elif now - session[SEEN_AT] >= TOUCH_EVERY_SECONDS:
        session[SEEN_AT] = int(now)
