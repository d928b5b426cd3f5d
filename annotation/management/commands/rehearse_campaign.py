"""Rehearse a whole campaign with simulated annotators, into a campaign marked as simulated for ever."""

from collections import Counter
from dataclasses import fields
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.rehearsal import services
from annotation.rehearsal.annotator import RehearsalError
from annotation.rehearsal.behaviour import Temperament
from annotation.rehearsal.doors import SiteUnreachableError
from annotation.rehearsal.faults import FORMS, parse_fault
from annotation.schemes.definition import parse_scheme
from annotation.schemes.shipped import default_scheme
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role

SHARES = [field.name for field in fields(Temperament) if field.name.endswith("_share")]


class Command(BaseCommand):
    help = (
        "Play a campaign with made-up conversations and simulated annotators, through the HTTP API of the "
        "running site or in this process. Everything it makes says that it is a rehearsal."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--annotators", type=int, default=5)
        parser.add_argument("--samples", type=int, default=5000)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--slug", default="", help="address name of the campaign (rehearsal-SEED)")
        parser.add_argument("--skill", type=float, default=0.9, help="share of questions read right")
        parser.add_argument(
            "--think-time", type=float, default=0.0, help="1 thinks as long as a person, 0 not at all"
        )
        for role in ("training", "calibration", "anchors"):
            parser.add_argument(f"--{role}", type=int, default=0, help="samples that everybody labels")
        for share in SHARES:
            default = getattr(Temperament(), share)
            parser.add_argument(
                f"--{share.replace('_', '-')}", type=float, default=default, help=f"default {default}"
            )
        forms = " or ".join(FORMS.values())
        parser.add_argument(
            "--fault",
            action="append",
            default=[],
            metavar="FAULT",
            help=f"{forms}; clinicians count from 1; may be given several times",
        )
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--url", default=f"http://localhost:{settings.PUBLIC_PORT}")
        where.add_argument("--in-process", action="store_true", help="call the endpoints in this process")
        parser.add_argument("--lead", default="", help="e-mail of the lead who will see it; else the first")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._rehearse(options)
        except (
            services.RehearsalNotPossibleError,
            RehearsalError,
            SiteUnreachableError,
            ValueError,
        ) as failed:
            raise CommandError(str(failed)) from failed

    def _rehearse(self, options: dict[str, Any]) -> None:
        script = _script(options)
        campaign = services.set_up(script, lead=_lead(options["lead"]), say=self.stdout.write)
        base_url = None if options["in_process"] else options["url"]
        counts = services.rehearse(campaign, script, base_url=base_url, say=self.stdout.write)
        for code, happened in counts.items():
            told = ", ".join(f"{number} {what}" for what, number in sorted(happened.items()) if number)
            self.stdout.write(f"{code}: {told}")
        total = sum(counts.values(), Counter())
        overlaps = services.pair_overlaps(campaign)
        if overlaps:
            self.stdout.write(f"Pairs share {min(overlaps.values())} to {max(overlaps.values())} samples.")
        self.stdout.write(f"Severe samples in a row: {services.severe_in_a_row(campaign)}.")
        standing = services.labels_given(campaign)
        self.stdout.write(f"{total['labelled']} labels were acknowledged; {standing} stand.")


def _script(options: dict[str, Any]) -> services.Script:
    names = ("annotators", "samples", "seed", "skill", "think_time", "training", "calibration", "anchors")
    for name in ("annotators", "samples"):
        if options[name] < 1:
            raise ValueError(f"--{name} is {options[name]}. Give 1 or more.")
    scheme = parse_scheme(default_scheme())
    return services.Script(
        **{name: options[name] for name in names},
        slug=options["slug"] or f"rehearsal-{options['seed']}",
        temperament=Temperament(**{share: options[share] for share in SHARES}),
        faults=tuple(
            parse_fault(words, annotators=options["annotators"], scheme=scheme) for words in options["fault"]
        ),
    )


def _lead(email: str) -> User:
    leads = User.objects.filter(
        is_active=True, role_grants__role=Role.LEAD, role_grants__revoked_at__isnull=True
    )
    named = leads.filter(email__iexact=email) if email else leads
    lead = named.order_by("date_joined").first()
    if lead is None:
        who = f"There is no lead with the address {email}." if email else "There is no lead yet."
        raise ValueError(f"{who} Invite one with `manage.py invite`, or start a demo with `manage.py up`.")
    return lead
