"""What a campaign asks: a scheme together with the guideline that explains it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from annotation.models import GuidelineVersion
from annotation.schemes.definition import Scheme, parse_scheme
from annotation.schemes.shipped import default_guideline, default_scheme

SHIPPED_GUIDELINE_VERSION = "1.0"


@dataclass(frozen=True)
class Asked:
    """A scheme in its raw form, and a guideline as Markdown with its version."""

    definition: dict[str, Any]
    guideline_version: str
    guideline: str

    @cached_property
    def scheme(self) -> Scheme:
        """The scheme, read. Raises SchemeError."""
        return parse_scheme(self.definition)


def shipped() -> Asked:
    """Return the shipped scheme with the shipped guideline."""
    return Asked(default_scheme(), SHIPPED_GUIDELINE_VERSION, default_guideline())


def with_stored_guideline(definition: dict[str, Any]) -> Asked | None:
    """Return the scheme with the newest guideline stored for its key; None when there is none."""
    default = shipped()
    key = str(definition.get("key", ""))
    newest = GuidelineVersion.objects.filter(scheme_key=key).order_by("-created_at").first()
    if newest is not None:
        return Asked(definition, newest.version, newest.body)
    if key == default.scheme.key:
        return Asked(definition, default.guideline_version, default.guideline)
    return None
