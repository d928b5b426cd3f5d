"""Sign a document: the very text that was shown, confirmed anew, once."""

import hashlib
import time
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from annotation.agreements.services import DocumentRefusedError, publish, publish_shipped_documents, sign
from annotation.models import DocumentKind, DocumentVersion, Signature
from annotation.qualification.facts import documents_in_force, unsigned_by
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent
from tests import people

ClientFor = Callable[[User], Client]
SIGN = reverse("annotation:sign_document", args=["consent"])


@pytest.fixture(autouse=True)
def consent(database: None) -> DocumentVersion:
    publish_shipped_documents()
    return documents_in_force()["consent"]


def confirmed(client: Client) -> Client:
    """Let the session have confirmed who it is just now."""
    session = client.session
    records = session["account_authentication_methods"]
    session["account_authentication_methods"] = [
        *records,
        {"method": "password", "at": time.time(), "reauthenticated": True},
    ]
    session.save()
    return client


def form(document: DocumentVersion, **changes: str) -> dict[str, str]:
    return {"sha256": document.sha256, "agrees": "on"} | changes


def test_the_three_shipped_documents_are_templates_and_say_so() -> None:
    for kind in DocumentKind:
        body = documents_in_force()[kind].body
        assert "**Template.**" in body
        assert "lawyer" in body


def test_a_signature_names_the_text(annotator: User, client_for: ClientFor, consent: DocumentVersion) -> None:
    client = confirmed(client_for(annotator))
    assert client.post(SIGN, form(consent))["Location"] == reverse("annotation:documents")
    [signature] = Signature.objects.filter(signer=annotator)
    assert signature.sha256 == hashlib.sha256(consent.body.encode()).hexdigest()
    assert signature.confirmed_by == "password"
    assert "consent" not in unsigned_by([annotator.pk])[annotator.pk]
    assert AccessEvent.objects.filter(object_type="signature", object_id=str(signature.pk)).exists()
    assert "Signed" in client.get(reverse("annotation:documents")).content.decode()


def test_it_is_asked_who_signs(annotator: User, client_for: ClientFor, consent: DocumentVersion) -> None:
    """And what was pressed is done once the person has confirmed: nothing has to be filled in twice."""
    client = client_for(annotator)
    asked = client.post(SIGN, form(consent))
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert not Signature.objects.exists()
    done = client.post(asked["Location"], {"password": people.PASSWORD, "next": SIGN})
    assert done.status_code == 302
    assert Signature.objects.get().signer == annotator


def test_a_wrong_password_signs_nothing(
    annotator: User, client_for: ClientFor, consent: DocumentVersion
) -> None:
    client = client_for(annotator)
    asked = client.post(SIGN, form(consent))
    client.post(asked["Location"], {"password": "not it", "next": SIGN})
    assert not Signature.objects.exists()


def test_a_second_factor_is_asked_of_who_has_one(
    annotator: User, client_for: ClientFor, consent: DocumentVersion
) -> None:
    Authenticator.objects.create(user=annotator, type=Authenticator.Type.TOTP, data={"secret": "none"})
    asked = client_for(annotator).post(SIGN, form(consent))
    assert asked["Location"].startswith("/accounts/2fa/reauthenticate/")
    assert not Signature.objects.exists()


def test_back_and_again_signs_once(annotator: User, client_for: ClientFor, consent: DocumentVersion) -> None:
    client = confirmed(client_for(annotator))
    for _ in range(2):
        client.post(SIGN, form(consent))
    assert Signature.objects.count() == 1


@pytest.mark.parametrize("bad", [{"agrees": ""}, {"sha256": ""}, {"sha256": "a" * 63}])
def test_without_agreeing_nothing_is_signed(
    annotator: User, client_for: ClientFor, consent: DocumentVersion, bad: dict[str, str]
) -> None:
    assert confirmed(client_for(annotator)).post(SIGN, form(consent, **bad)).status_code == 422
    assert not Signature.objects.exists()


def test_a_page_left_open_does_not_sign_the_version_after(
    annotator: User, client_for: ClientFor, lead: User, consent: DocumentVersion
) -> None:
    client = confirmed(client_for(annotator))
    publish(kind=DocumentKind.CONSENT, version="2.0", body="# New\n", published_by=lead)
    answer = client.post(SIGN, form(consent), follow=True)
    assert "A newer version is in force" in answer.content.decode()
    assert not Signature.objects.exists()


def test_a_withdrawn_version_cannot_be_signed(annotator: User, lead: User, consent: DocumentVersion) -> None:
    publish(kind=DocumentKind.CONSENT, version="2.0", body="# New\n", published_by=lead)
    with pytest.raises(DocumentRefusedError):
        sign(document=consent, sha256=consent.sha256, signer=annotator, confirmed_by="password")


def test_a_link_used_by_another_person_signs_for_that_person_only(
    annotator: User, second_annotator: User, client_for: ClientFor, consent: DocumentVersion
) -> None:
    confirmed(client_for(annotator)).post(SIGN, form(consent))
    confirmed(client_for(second_annotator)).post(SIGN, form(consent))
    assert set(Signature.objects.values_list("signer", flat=True)) == {annotator.pk, second_annotator.pk}


def test_an_unknown_kind_is_not_found(annotator: User, client_for: ClientFor) -> None:
    assert client_for(annotator).get(reverse("annotation:document", args=["nothing"])).status_code == 404
