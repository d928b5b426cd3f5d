"""Take back a clinician's consent to labels: they stay, and nothing is made from them any more."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.models import Campaign
from annotation.rights.services import NothingToWithdrawError, withdraw_labels
from prometheus_site.accounts.models import User


class Command(BaseCommand):
    help = (
        "Mark every label of one person in a campaign as withdrawn: figures, exports and the plan leave them "
        "out from now on, and the person takes no more part there. Nothing is deleted. Cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="the person's code, such as C-7F3A9C")
        parser.add_argument("campaign", help="the address name of the campaign")
        parser.add_argument("--because", required=True, help="the reason, kept for ever; name nobody in it")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, code: str, campaign: str, because: str, yes: bool, **options: Any) -> None:
        clinician = User.objects.filter(code=code).first()
        where = Campaign.objects.filter(slug=campaign).first()
        if clinician is None or where is None:
            missing = f"Nobody has the code {code}." if clinician is None else f"No campaign {campaign}."
            raise CommandError(missing)
        if not yes and input(f"Withdraw the labels of {code} in {campaign}? Type the code: ") != code:
            raise CommandError("Nothing was changed.")
        try:
            withdrawal = withdraw_labels(clinician=clinician, campaign=where, because=because)
        except NothingToWithdrawError as nothing:
            raise CommandError(str(nothing)) from nothing
        self.stdout.write(
            f"{withdrawal.labels.count()} labels of {code} are withdrawn. Reports frozen before today "
            "stay as they were signed."
        )
