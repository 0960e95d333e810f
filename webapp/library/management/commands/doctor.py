"""manage.py doctor: is everything in order, and if not, what would mend it?"""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from webapp.library.services.doctor import Finding, Level, examine

MARKS = {Level.OK: "  ok", Level.NOTE: "note", Level.PROBLEM: "  !!"}


def with_progress(items: Iterable[Any]) -> Iterable[Any]:
    """A bar on the terminal (on standard error), and nothing where there is none."""
    return tqdm(items, disable=None, leave=False)


@dataclass(frozen=True)
class Report:
    """A finding and, once it was mended, what was done."""

    finding: Finding
    done: str = ""

    @property
    def is_open(self) -> bool:
        return self.finding.level is Level.PROBLEM and not self.done

    def as_json(self) -> dict[str, Any]:
        return {
            "check": self.finding.check,
            "level": self.finding.level.value,
            "message": self.finding.message,
            "remedy": self.finding.remedy,
            "can_be_mended": self.finding.mend is not None,
            "done": self.done,
        }


class Command(BaseCommand):
    help = (
        "Check the database, the originals, thumbnails, weights, index and what else Marea needs. "
        "Says what is wrong and what would mend it; ends with status 1 if something stays wrong."
    )
    requires_system_checks: list[str] = []  # it looks for itself, and says more

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mend", action="store_true", help="mend what can be mended")
        parser.add_argument(
            "--deep", action="store_true", help="also read every original and compare its SHA-256"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        reports = []
        for finding in examine(deep=options["deep"], progress=with_progress):
            reports.append(self._treat(finding, mend=options["mend"]))
            if not options["json"]:
                self._print(reports[-1])
            if finding.ends_examination and reports[-1].is_open:
                break
        wrong = sum(report.is_open for report in reports)
        if options["json"]:
            findings = [report.as_json() for report in reports]
            self.stdout.write(json.dumps({"ok": not wrong, "findings": findings}))
        if wrong:
            raise CommandError(self._farewell(reports), returncode=1)

    def _treat(self, finding: Finding, *, mend: bool) -> Report:
        return Report(finding, finding.mend() if mend and finding.mend else "")

    def _print(self, report: Report) -> None:
        finding = report.finding
        self.stdout.write(f"{MARKS[finding.level]}  {finding.check}: {finding.message}")
        if report.done:
            self.stdout.write(f"      Mended: {report.done}")
        elif finding.mend:
            self.stdout.write(f"      --mend would {finding.remedy}.")
        elif finding.remedy:
            self.stdout.write(f"      {finding.remedy}")

    def _farewell(self, reports: list[Report]) -> str:
        wrong = [report for report in reports if report.is_open]
        mendable = sum(report.finding.mend is not None for report in wrong)
        first = f"{len(wrong)} of {len(reports)} findings are problems."
        return f"{first} --mend can mend {mendable} of them." if mendable else first
