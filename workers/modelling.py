"""Long work on models: each job is a process of its own, so that its memory is given back and a
checkpoint that kills it kills nothing else.
"""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from webapp.teach import jobs
from webapp.teach.job_models import ModelJob
from workers.supervision import launch

logger = logging.getLogger(__name__)

ASKED_EVERY_S = 0.5
RENEWED_EVERY_S = 10.0
GRACE_S = 10.0
LOW_PRIORITY = ("nice", "-n", "10")  # people who wait for pages come first


def work(*, stopping: Callable[[], bool]) -> None:
    """Do what waits, one job after the other, until nothing does or this worker is to stop."""
    while not stopping() and (job := jobs.claim()):
        logger.info("model_job=%d kind=%s name=%s", job.pk, job.kind, job.name)
        _see_through(job, stopping)


def _see_through(job: ModelJob, stopping: Callable[[], bool]) -> None:
    """Run the job's command; stopped half-way, it waits for the next worker, who goes on."""
    process = subprocess.Popen(command(job), stdin=subprocess.PIPE, cwd=settings.BASE_DIR)
    renew_at = 0.0
    try:
        while (status := process.poll()) is None and not stopping() and jobs.is_wanted(job):
            if time.monotonic() > renew_at:
                jobs.renew(job)
                renew_at = time.monotonic() + RENEWED_EVERY_S
            time.sleep(ASKED_EVERY_S)
    finally:
        _end(process)
    if status is None:
        jobs.give_back(job)
    elif status < 0:
        logger.error("model_job=%d ended by signal=%d", job.pk, -status)
        if job.kind in (ModelJob.Kind.TRAIN, ModelJob.Kind.ACTIVATE):
            jobs.go_on(job)
        else:
            jobs.finish(job, failed="Its process was ended, most likely for want of memory.")
    else:
        jobs.finish(job, failed="" if status == 0 else "It failed; the worker's log says why.")


def command(job: ModelJob) -> list[str]:
    """The command that does a job, in a process that ends with this one."""
    launcher = [sys.executable, str(Path(launch.__file__)), str(os.getpid())]
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    work = ["models", job.kind, job.name, "--job", str(job.pk)]
    if job.kind == ModelJob.Kind.TRAIN:
        work = ["train", "--run", job.name]
    return [*launcher, *LOW_PRIORITY, *manage, *work]


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdin:
        process.stdin.close()
