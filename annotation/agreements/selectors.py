"""Read the documents in force and what a person has signed of them."""

from dataclasses import dataclass

from annotation.models import DocumentKind, DocumentVersion, Signature
from annotation.qualification.facts import documents_in_force
from prometheus_site.accounts.models import User


@dataclass(frozen=True)
class Paper:
    """A document in force, and the person's signature under that very version, None without one."""

    document: DocumentVersion
    signature: Signature | None


def papers_of(person: User) -> list[Paper]:
    """Return every document in force, in the order in which they are read."""
    in_force = documents_in_force()
    given = Signature.objects.filter(signer=person, document__in=list(in_force.values()))
    by_document = {one.document_id: one for one in given}
    return [
        Paper(in_force[kind], by_document.get(in_force[kind].pk)) for kind in DocumentKind if kind in in_force
    ]
