"""Contacts for support on the pages where people read: ``{% support_contacts %}``."""

from typing import Any

from django import template
from django.template.context import RequestContext

from annotation.wellbeing.support import contacts_for

register = template.Library()


@register.inclusion_tag("annotation/wellbeing/_contacts.html", takes_context=True)
def support_contacts(context: RequestContext) -> dict[str, Any]:
    """Show the contacts in the language that the browser asks for."""
    request = context["request"]
    return {"contacts": contacts_for(request.headers.get("Accept-Language", ""))}
