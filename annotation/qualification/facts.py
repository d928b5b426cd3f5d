"""Read what the gate's rule decides on, for many people at once."""

import uuid
from collections import defaultdict
from collections.abc import Collection

from annotation.models import Campaign, DocumentVersion, Licence, QualificationDecision, Signature
from annotation.qualification.gate import Facts, Outcome


def facts_of(campaign: Campaign, people: Collection[uuid.UUID]) -> dict[uuid.UUID, Facts]:
    """Return what stands about each of these people in the campaign, by four questions in all."""
    decisions = latest_decisions(campaign, people)
    unsigned, licences = unsigned_by(people), checked_licences(people)
    return {
        person: Facts(
            outcome=Outcome(decisions[person].outcome) if person in decisions else None,
            reading=decisions[person].reading if person in decisions else 0,
            unsigned=unsigned[person],
            licence_ends_at=licences[person].ends_at if person in licences else None,
        )
        for person in people
    }


def latest_decisions(
    campaign: Campaign, people: Collection[uuid.UUID]
) -> dict[uuid.UUID, QualificationDecision]:
    """Return the decision that holds for each person who has one."""
    made = QualificationDecision.objects.filter(campaign=campaign, clinician__in=people)
    return {one.clinician_id: one for one in made.order_by("clinician", "-place").distinct("clinician")}


def checked_licences(people: Collection[uuid.UUID]) -> dict[uuid.UUID, Licence]:
    """Return the licence that was checked last, of each person who has one."""
    checked = Licence.objects.filter(clinician__in=people, is_checked=True)
    newest = checked.order_by("clinician", "-recorded_at", "-ends_at").distinct("clinician")
    return {one.clinician_id: one for one in newest}


def documents_in_force() -> dict[str, DocumentVersion]:
    """Return the newest version of each kind of document."""
    newest = DocumentVersion.objects.order_by("kind", "-place").distinct("kind")
    return {one.kind: one for one in newest}


def unsigned_by(people: Collection[uuid.UUID]) -> dict[uuid.UUID, frozenset[str]]:
    """Return, for each person, the kinds of document whose newest version that person has not signed."""
    in_force = documents_in_force()
    signed: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    given = Signature.objects.filter(signer__in=people, document__in=list(in_force.values()))
    for signer, document in given.values_list("signer_id", "document_id"):
        signed[signer].add(document)
    return {
        person: frozenset(kind for kind, one in in_force.items() if one.pk not in signed[person])
        for person in people
    }
