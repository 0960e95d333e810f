"""manage.py benchmark NAME: what the product reaches beside a baseline, measured in the same run.

Each benchmark is a module `webapp/<app>/benchmarks/<name>.py` with `add_arguments(parser)`,
`run(options) -> dict` and `table(figures) -> str`; its docstring says what it measures.
"""

import json
import pkgutil
from argparse import ArgumentParser
from importlib import import_module
from types import ModuleType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vision.errors import VisionError
from webapp.errors import UserError

APPS = ("library", "find", "teach")


def benchmarks() -> dict[str, ModuleType]:
    """Every benchmark by the name that it is called by (`sync_sgd` as `sync-sgd`)."""
    found: dict[str, ModuleType] = {}
    for app in APPS:
        package = _package(f"webapp.{app}.benchmarks")
        for module in pkgutil.iter_modules(package.__path__ if package else []):
            if not module.name.startswith("_"):
                name = module.name.replace("_", "-")
                found[name] = import_module(f"webapp.{app}.benchmarks.{module.name}")
    return found


def _package(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


class Command(BaseCommand):
    help = "Measure the product beside a baseline, in the same run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = parser.add_subparsers(dest="benchmark", metavar="NAME", required=True)
        for name, module in benchmarks().items():
            described = (module.__doc__ or "").strip()
            own = names.add_parser(
                name, help=described.splitlines()[0], description=described, prog=parser.prog
            )
            own.add_argument("--json", action="store_true", help="print one JSON object")
            module.add_arguments(own)

    def handle(self, *args: Any, **options: Any) -> None:
        module = benchmarks()[options["benchmark"]]
        try:
            figures = module.run(options)
        except (VisionError, UserError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(figures) if options["json"] else module.table(figures))
