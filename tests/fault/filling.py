"""Inside an installation of its own: make a campaign with people and tokens, or read back what is stored."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.site import PROJECT, Site


def in_site(site: Site, *order: str) -> Any:
    """Run an order of this module in the site's environment; return what it answers."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fault.filling", *order],
        cwd=PROJECT,
        env=site.environment() | {"DJANGO_SETTINGS_MODULE": "prometheus_site.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _fill(slug: str, annotators: int, samples: int) -> dict[str, Any]:
    from annotation.models import Assignment
    from prometheus_site.accounts.api_tokens import create_api_token
    from prometheus_site.accounts.roles import Role
    from tests import people
    from tests.annotation.worlds import make_campaign

    lead = people.make(f"lead-of-{slug}", Role.LEAD)
    crowd = [people.make(f"{slug}-{number}", Role.ANNOTATOR) for number in range(annotators)]
    campaign = make_campaign(lead, crowd, samples=samples, slug=slug, labels_per_sample=annotators)
    secrets = [
        create_api_token(user=user, name="a program", was_second_factor_passed=False)[1] for user in crowd
    ]
    return {
        "guideline": str(campaign.guideline_id),
        "people": [
            {"id": str(user.pk), "email": user.email, "token": secret}
            for user, secret in zip(crowd, secrets, strict=True)
        ],
        "slots": Assignment.objects.filter(campaign=campaign, repeat_number=0).count(),
    }


def _read_back(slug: str) -> dict[str, Any]:
    from annotation.models import Assignment, AssignmentState, Label, Pass
    from prometheus_site.core.sealing import open_text

    labels = Label.objects.filter(campaign__slug=slug).select_related("note__data_key", "undo")
    slots = Assignment.objects.filter(campaign__slug=slug)
    labelled = slots.filter(state=AssignmentState.LABELLED).values_list("pk", flat=True)
    passed = Pass.objects.filter(assignment__in=slots, taken_back_at=None)
    return {
        "labels": [
            {
                "label": str(label.pk),
                "key": str(label.idempotency_key),
                "by": str(label.annotator_id),
                "slot": str(label.assignment_id),
                "answers": label.answers,
                "note": open_text(label.note) if label.note else "",
                "is_undone": hasattr(label, "undo"),
            }
            for label in labels
        ],
        "labelled": [str(pk) for pk in labelled],
        "passed": [str(pk) for pk in passed.values_list("assignment", flat=True)],
    }


if __name__ == "__main__":
    sys.path.insert(0, str(Path(PROJECT)))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prometheus_site.settings")
    import django

    django.setup()
    match sys.argv[1:]:
        case ["fill", slug, annotators, samples]:
            print(json.dumps(_fill(slug, int(annotators), int(samples))))
        case ["read_back", slug]:
            print(json.dumps(_read_back(slug)))
