"""The links of the header: what each role finds there. Apps add theirs when they load."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User


@dataclass(frozen=True)
class NavItem:
    label: str
    url: str
    icon: str
    is_current: bool


@dataclass(frozen=True)
class NavLink:
    """A link and who sees it; ``url_name`` without arguments."""

    order: int
    label: str
    url_name: str
    icon: str
    is_for: Callable[["User"], bool]


_links: list[NavLink] = []


def add_link(link: NavLink) -> None:
    """Add a link to the header; called once, when an app loads."""
    _links.append(link)


def nav_items(user: "User", path: str) -> list[NavItem]:
    """Return the person's links, in order, the current one marked."""
    return [
        NavItem(link.label, url, link.icon, is_current=path.startswith(url))
        for link in sorted(_links, key=lambda one: one.order)
        if link.is_for(user) and (url := reverse(link.url_name))
    ]
