"""What an applicant wrote, sealed under the application's own key."""

import orjson

from annotation.models import Application
from prometheus_site.core import sealing
from prometheus_site.core.models import DataKey

# How much of each field is kept while it is still a draft; what a sent form may hold is the form's to say.
LONGEST = {
    "email": 254, "name": 120, "degree": 20, "degree_detail": 200, "licence_number": 60,
    "licence_jurisdiction": 100, "licence_expires_on": 20, "experience_years": 10, "experience": 4000,
    "crisis_training": 10, "crisis_training_detail": 2000, "time_zone": 60, "hours_per_week": 10,
    "availability": 1000, "statement": 5000, "source": 20, "referral": 200, "consents": 5,
}  # fmt: skip
Answers = dict[str, str]


def seal(application: Application, answers: Answers) -> bytes:
    """Return the answers sealed for this application; what no field is called is left out."""
    kept = {name: answers.get(name, "")[:longest] for name, longest in LONGEST.items()}
    return sealing.seal_bytes(orjson.dumps(kept), application.data_key, _place(application))


def read(application: Application) -> Answers:
    """Open the answers. Raises TextErasedError when the applicant's key was destroyed."""
    opened = sealing.open_bytes(bytes(application.sealed), application.data_key, _place(application))
    kept: Answers = orjson.loads(opened)
    return kept


def read_unless_erased(application: Application) -> Answers:
    """Open the answers; nothing is left of somebody whose key was destroyed."""
    try:
        return read(application)
    except sealing.TextErasedError:
        return {}


def address_digest(email: str, site_key: DataKey) -> bytes:
    """Return what finds an address again and tells nobody what it is."""
    return sealing.keyed_digest(f"applicant address: {email.strip().lower()}", site_key)


def _place(application: Application) -> bytes:
    return b"application:" + application.id.bytes
