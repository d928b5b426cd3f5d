"""Times in words: ``{{ sheet.time|duration }}`` says 1 h 05."""

from datetime import timedelta

from django import template

from annotation.labelling.presenter import worked

register = template.Library()


@register.filter
def duration(time: timedelta) -> str:
    """Return a time in hours and minutes."""
    return worked(int(time.total_seconds()))
