"""People who apply: a campaign that recruits, and strangers who go through its pages."""

import io
import re
import zipfile
from dataclasses import dataclass, field
from datetime import timedelta

from django.core import mail as outbox
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import Application, Campaign, Recruitment
from annotation.recruitment import spam
from annotation.recruitment.facts import save_facts
from annotation.recruitment.mail import send_waiting
from annotation.recruitment.selectors import starting_facts
from annotation.recruitment.services import move
from annotation.recruitment.stages import Stage
from prometheus_site.accounts.models import User
from prometheus_site.accounts.services import token_digest

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
ANSWERS = {
    "name": "Mara Licht",
    "degree": "doctorate",
    "degree_detail": "Clinical psychology, Utrecht",
    "licence_number": "PSY-20417",
    "licence_jurisdiction": "Netherlands",
    "licence_expires_on": f"{timezone.now().date() + timedelta(days=700):%Y-%m-%d}",
    "experience_years": "9",
    "experience": "Outpatient clinic, crisis team.",
    "crisis_training": "yes",
    "crisis_training_detail": "ASIST 2022",
    "time_zone": "Pacific/Auckland",
    "hours_per_week": "6",
    "availability": "Evenings",
    "statement": "Models should learn from people who sat in the room.",
    "source": "colleague",
    "referral": "",
    "consents": "on",
}
LINK = re.compile(r"https?://[^/\s]+(/application/[^/\s]+/)")


def recruit(campaign: Campaign, lead: User, *, is_open: bool = True) -> Recruitment:
    """Let the campaign take applications; nobody's tries of this hour are counted yet."""
    cache.clear()
    facts = starting_facts(campaign)
    facts.pay, facts.is_open = "90 EUR an hour, monthly.", is_open
    save_facts(facts=facts, changed_by=lead)
    return facts


def signed_earlier(seconds: int = 60) -> str:
    """Return the stamp of a form that was shown some time ago."""
    return spam.stamp(seconds)


def docx(*parts: str) -> bytes:
    """Return a zip file with these empty parts."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for part in parts:
            file.writestr(part, b"")
    return packed.getvalue()


def cv(content: bytes = PDF, name: str = "cv.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="application/pdf")


@dataclass
class Stranger:
    """Somebody without a login, in a browser of their own."""

    campaign: Campaign
    email: str = "mara@example.org"
    client: Client = field(default_factory=Client)
    page: str = ""

    def begin(self) -> "Stranger":
        address = reverse("annotation:apply", args=[self.campaign.slug])
        response = self.client.post(address, {"email": self.email, "stamp": signed_earlier()})
        assert response.status_code == 302, response.content.decode()
        self.page = response.url  # type: ignore[attr-defined]
        return self

    @property
    def application(self) -> Application:
        return Application.objects.order_by("-started_at").get(
            links__token_digest=token_digest(self.page.split("/")[2])
        )

    def post(self, action: str, *, file: object = None, **changes: str):  # type: ignore[no-untyped-def]
        data = ANSWERS | {"action": action, "draft_version": str(self.application.draft_version)} | changes
        if file is not None:
            data["cv"] = file  # type: ignore[assignment]
        return self.client.post(self.page, data)

    def send(self) -> "Stranger":
        response = self.post("send", file=cv())
        assert response.status_code == 302, response.content.decode()
        return self

    def confirm(self) -> "Stranger":
        """Follow the link of the newest message to the address, which is all that proves it."""
        self.client.post(f"{newest_link(self.email)}confirm/")
        return self

    def moved(self, to: Stage, by: User) -> "Stranger":
        move(self.application, to, by, "It fits.")
        return self


def applied(campaign: Campaign, email: str = "mara@example.org") -> Stranger:
    """Return somebody whose application is with the team."""
    return Stranger(campaign, email).begin().send().confirm()


def newest_link(email: str) -> str:
    """Send what waits; return the path of the link in the newest message to the address."""
    send_waiting()
    bodies = [str(sent.body) for sent in outbox.outbox if sent.to == [email]]
    found = LINK.search(bodies[-1])
    assert found
    return found.group(1)
