"""Verify the hash chains, what they cover, and the anchors; exit 1 when anything is not as recorded."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from prometheus_site.audit.verification import verify

FAULTS_SHOWN = 20


class Command(BaseCommand):
    help = "Verify every clinician's hash chain, the labels it covers, and the signed anchors."

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = verify()
        checked = f"{verdict.chains} chains, {verdict.entries} links, {verdict.anchors} anchors"
        if verdict.holds:
            self.stdout.write(f"The record holds: {checked}.")
            return
        for fault in verdict.faults[:FAULTS_SHOWN]:
            self.stderr.write(fault)
        raise CommandError(
            f"The record does not hold: {len(verdict.faults)} faults in {checked}. Keep this database and "
            "its backups as they are and find out who could write to it."
        )
