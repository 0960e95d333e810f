"""Asking for trainings, doing one, stopping it and going on with it."""

import os
import platform
import secrets
import socket
import subprocess
import tomllib
from collections.abc import Mapping
from importlib.metadata import version as installed
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from webapp.accounts.models import User
from webapp.errors import Conflict, Refused
from webapp.teach import jobs
from webapp.teach.job_models import ModelJob
from webapp.teach.models import Correction, ModelVersion
from webapp.teach.runs.kinds import kind_named
from webapp.teach.runs.models import TrainingRun
from webapp.teach.runs.telling import Teller
from webapp.teach.services import active_version
from webapp.teach.versions.folders import register
from webapp.texts import one_line

MOST_SEED = 2**31 - 1


@transaction.atomic
def ask(
    kind: str, *, user: User | None, why: str, parameters: Mapping[str, Any], seed: int = 0
) -> TrainingRun:
    """Ask for a training; `user` None means the command line. A worker does it when it is its turn.

    Raises `NotFound` for unknown kinds, `Refused` for unusable settings or no reason, `Conflict`
    when the very same already waits or runs.
    """
    reason = one_line(why)[:500]
    if not reason:
        raise Refused(
            "A training needs a reason, in a few words. Nothing was started.", field="why"
        )
    if not 0 <= seed <= MOST_SEED:
        raise Refused(f"A seed is between 0 and {MOST_SEED}. Nothing was started.", field="seed")
    read = kind_named(kind).read(parameters)
    _one_after_the_other()
    if TrainingRun.objects.unfinished().filter(kind=kind, parameters=read, seed=seed).exists():
        raise Conflict("The same training is asked for already. Nothing more was started.")
    job = ModelJob.objects.create(kind=ModelJob.Kind.TRAIN, name=_unused_name())
    run = TrainingRun.objects.create(
        kind=kind, user=user, why=reason, parameters=read, seed=seed, job=job
    )
    ModelJob.objects.filter(pk=job.pk).update(name=str(run.pk))
    job.name = str(run.pk)
    jobs.announce()
    return run


def _one_after_the_other() -> None:
    """Until the transaction ends, whoever asks as well waits, and then sees what was asked for."""
    serving = ModelVersion.objects.filter(pk=active_version().pk)
    serving.select_for_update(no_key=True).get()


def _unused_name() -> str:
    """Of a job until its run has a number, which is its name then."""
    return f"new-{secrets.token_hex(8)}"


def cancel(run: TrainingRun) -> None:
    """End it within seconds; its checkpoint stays. Raises `Conflict` when it has ended."""
    if not jobs.stop(run.job):
        raise Conflict("This training has ended already. Nothing was changed.")


def resume(run: TrainingRun) -> None:
    """Go on from the checkpoint of what was stopped or failed."""
    if not jobs.start_again(run.job):
        raise Conflict("Only what was stopped or failed can go on. Nothing was changed.")


def try_again(run: TrainingRun, *, user: User | None, why: str) -> TrainingRun:
    """The same from the beginning, on what people have said by now."""
    return ask(run.kind, user=user, why=why, parameters=run.parameters, seed=run.seed)


def take(run: TrainingRun) -> None:
    """This process does it now. Raises `Conflict` while other work on models is in hand."""
    if jobs.claim(only=run.job) is None:
        raise Conflict(
            "Other work on models is in hand, and there is memory for one at a time. Ask again "
            "when it is done, or on the page Train, where it waits for its turn. Nothing was "
            "started."
        )


def do(run: TrainingRun) -> str:
    """Train, in this process; the name of the version that it made, which is registered."""
    tell = Teller(run)
    _begin(run, tell)
    name = kind_named(run.kind).load()(run, tell)
    run.version, run.finished_at = register(name), timezone.now()
    run.save(update_fields=["version", "finished_at", "figures"])
    tell.say(f"{name} is here.")
    return name


def _begin(run: TrainingRun, tell: Teller) -> None:
    """What is known only where and when it is done; a later attempt keeps the first one's base."""
    first = run.started_at is None
    if not first and run.base is None:  # retention let it go while this was stopped
        raise Conflict(
            "The version that this training went on from is gone, so it cannot go on. Begin it "
            "again from the present version."
        )
    run.machine, run.code = machine(), code_version()
    if first:
        run.started_at, run.base = timezone.now(), active_version()
        newest = Correction.objects.order_by("-pk").values_list("pk", flat=True).first()
        run.last_correction = newest or 0
    run.stands_back = False
    run.save(
        update_fields=["machine", "code", "started_at", "base", "last_correction", "stands_back"]
    )
    on = "{host}, {cores} cores, torch {torch}".format(**run.machine)
    tell.say(f"{'Begun' if first else 'Goes on'} on {on}.")


def machine() -> dict[str, Any]:
    """Where this process runs."""
    return {
        "host": socket.gethostname(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 1,
        "torch": installed("torch"),
        "python": platform.python_version(),
    }


def code_version() -> str:
    """The commit that the code is at, marked where files differ from it, or the release."""
    command = ["git", "describe", "--always", "--dirty=+changes", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text("utf-8"))
        return f"release {project['project']['version']}"
    return done.stdout.strip()
