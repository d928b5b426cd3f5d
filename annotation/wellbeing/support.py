"""Where to find support, by the language a person's browser asks for: the lead's contacts, else shipped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from django.db import transaction
from django.utils import timezone
from django.utils.translation.trans_real import parse_accept_lang_header

from annotation.models import SupportContacts
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

FALLBACK = "en"


@dataclass(frozen=True)
class Contacts:
    """The contacts of a language, one a line, and whether a lead has written them."""

    language: str
    lines: Sequence[str]
    is_own: bool


@cache
def shipped() -> Mapping[str, Sequence[str]]:
    """Return the contacts that come with the site, by language in lower case."""
    text = (Path(__file__).parent / "support_contacts.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Sequence[str]] = yaml.safe_load(text)
    return found


def contacts_for(accept_language: str) -> Contacts:
    """Return the contacts of the first language asked for that has any."""
    own = dict(SupportContacts.objects.values_list("language", "lines"))
    for language in [*_asked_for(accept_language), FALLBACK]:
        if language in own:
            return Contacts(language, own[language].splitlines(), is_own=True)
        if language in shipped():
            return Contacts(language, shipped()[language], is_own=False)
    raise LookupError("The shipped contacts lack the language everything falls back to.")


def all_contacts() -> list[Contacts]:
    """Return the contacts of every language, as they are shown."""
    own = dict(SupportContacts.objects.values_list("language", "lines"))
    return [
        Contacts(language, own[language].splitlines(), is_own=True)
        if language in own
        else Contacts(language, shipped()[language], is_own=False)
        for language in sorted(own.keys() | shipped().keys())
    ]


def set_contacts(*, language: str, lines: str, changed_by: User) -> None:
    """Show these lines to who asks for that language; with no line, the shipped ones come back."""
    kept = "\n".join(line.strip() for line in lines.splitlines() if line.strip())
    with transaction.atomic():
        stored = SupportContacts.objects.filter(language=language)
        if not kept:
            stored.delete()
        else:
            SupportContacts.objects.update_or_create(
                language=language,
                defaults={"lines": kept, "changed_by": changed_by, "changed_at": timezone.now()},
            )
        record_access(actor=changed_by, action=Action.CHANGED, obj_type="support_contacts", obj_id=language)


def _asked_for(accept_language: str) -> Iterator[str]:
    """Yield the languages in the order of preference, each followed by the one it is a part of."""
    for language, _ in parse_accept_lang_header(accept_language.lower()):
        yield language
        yield language.partition("-")[0]
