"""Report the agreement of the raters in a file of labels; needs no campaign and no database."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.agreement.bootstrap import MIN_RESAMPLES
from annotation.agreement.distances import Scale
from annotation.agreement.estimates import Resampling
from annotation.agreement.label_files import Columns, read_label_file
from annotation.agreement.label_tables import LabelFileError
from annotation.agreement.report import lines_of_report, report_of


class Command(BaseCommand):
    help = (
        "Report how far the raters of a CSV, TSV, JSON Lines or Parquet file agree, with 95 % intervals. "
        "The file has one label a row, or with --wide one item a row and one column a rater."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--item", default="", help="column that names the item (item)")
        parser.add_argument("--rater", default="", help="column of the rater (rater); with --wide a,b,c")
        parser.add_argument("--label", default="", help="column of the label (label)")
        parser.add_argument("--wide", action="store_true", help="a column per rater, a row per item")
        parser.add_argument("--scale", choices=[scale.value for scale in Scale], default=Scale.NOMINAL.value)
        parser.add_argument("--categories", default="", help="the whole scale: a,b,c from low to high")
        parser.add_argument("--cluster", default="", help="column of what is resampled as a whole")
        parser.add_argument("--resamples", type=int, default=2000)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        scale = Scale(options["scale"])
        resampling = Resampling(options["resamples"], options["seed"])
        if resampling.resamples < MIN_RESAMPLES or resampling.seed < 0:
            raise CommandError(f"--resamples is at least {MIN_RESAMPLES}, and --seed is not below 0.")
        columns = Columns(
            item=options["item"],
            rater=options["rater"],
            label=options["label"],
            cluster=options["cluster"],
            is_wide=options["wide"],
        )
        categories = options["categories"].split(",") if options["categories"] else None
        try:
            file = read_label_file(options["file"], columns, scale, categories)
        except LabelFileError as fault:
            raise CommandError(str(fault)) from fault
        report = report_of(file, scale, resampling)
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False, allow_nan=False))
            return
        for line in lines_of_report(report, file, resampling):
            self.stdout.write(line)
