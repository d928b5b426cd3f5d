"""The panels of the lead's board, one per part of the system; each part says honestly what is not there."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser


@dataclass(frozen=True)
class Row:
    """One line of a panel: a name, a value, and the list that reproduces it."""

    label: str
    value: str
    url: str = ""


@dataclass(frozen=True)
class Panel:
    """One part of the system on the board."""

    title: str
    icon: str
    rows: Sequence[Row] = ()
    notice: str = ""
    actions: Sequence[Row] = field(default_factory=tuple)


def panels_for(user: AbstractBaseUser | AnonymousUser) -> list[Panel]:
    """Return the board's panels as far as this person may see them."""
    return []
