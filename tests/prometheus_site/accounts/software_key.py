"""A passkey made of software, for tests: what a browser and its authenticator answer to the site."""

import json
import secrets
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

HOST = "testserver"
PRESENT_AND_VERIFIED = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


class SoftwareKey:
    """One passkey."""

    def __init__(self) -> None:
        self.private = generate_private_key(SECP256R1())
        self.id = secrets.token_bytes(16)
        self.user_handle = ""

    def create(self, options: dict[str, Any]) -> str:
        """Answer navigator.credentials.create()."""
        wanted = options["publicKey"]
        self.user_handle = wanted["user"]["id"]
        client = CollectedClientData.create("webauthn.create", wanted["challenge"], f"http://{HOST}")
        public = ES256.from_cryptography_key(self.private.public_key())  # type: ignore[no-untyped-call]
        data = AuthenticatorData.create(
            sha256(HOST.encode()).digest(),
            PRESENT_AND_VERIFIED | AuthenticatorData.FLAG.AT,
            0,
            AttestedCredentialData.create(bytes(16), self.id, public),
        )
        attestation = AttestationObject.create("none", data, {})
        return self._answer(client, attestationObject=websafe_encode(attestation))

    def get(self, options: dict[str, Any]) -> str:
        """Answer navigator.credentials.get()."""
        challenge = options["publicKey"]["challenge"]
        client = CollectedClientData.create("webauthn.get", challenge, f"http://{HOST}")
        data = AuthenticatorData.create(sha256(HOST.encode()).digest(), PRESENT_AND_VERIFIED, 1)
        signature = self.private.sign(data + client.hash, ECDSA(SHA256()))
        return self._answer(
            client,
            authenticatorData=websafe_encode(data),
            signature=websafe_encode(signature),
            userHandle=self.user_handle,
        )

    def _answer(self, client: CollectedClientData, **response: str) -> str:
        return json.dumps(
            {
                "id": websafe_encode(self.id),
                "rawId": websafe_encode(self.id),
                "type": "public-key",
                "response": {"clientDataJSON": websafe_encode(client), **response},
                "clientExtensionResults": {"credProps": {"rk": True}},
            }
        )
