"""How gunicorn serves the pages: `gunicorn -c python:webapp.serving webapp.wsgi`."""

import gc
import logging
import os
import sys
from pathlib import Path

import django
from django.conf import settings
from gunicorn.workers.base import Worker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
# Requests are answered side by side, so none gains from several threads of NumPy or FAISS, which
# spin while they wait for one another; read when NumPy is loaded.
for threads_of in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads_of, "1")
django.setup()

bind = settings.MAREA_BIND
workers = settings.MAREA_WEB_PROCESSES
worker_class = "gthread"
threads = settings.MAREA_WEB_THREADS
# The code is loaded once and shared by the forked processes. Nothing that a fork would break is
# loaded with it: onnxruntime, FAISS, Redis and database connections are opened by requests.
preload_app = True
timeout = 120  # of a process that does not report itself at all, not of a request
graceful_timeout = 10
limit_request_line = 0  # a long query is answered by a page in words; the parser stops at 1 MB
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  no disk in heartbeats
control_socket_disable = True
loglevel = "warning"
accesslog = None  # addresses carry query text


def when_ready(server: object) -> None:
    """Nothing that is loaded now is ever garbage. Without this, every fortieth request waited a
    tenth of a second while all of it was gone through; what is young is gone through as ever."""
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 1_000)


def worker_exit(server: object, worker: Worker) -> None:
    """Everything is answered and closed. The threads of ONNX Runtime and FAISS do not survive that
    Python takes apart what they work on, and a process that crashes as it leaves alarms people."""
    if worker.pid != os.getpid():  # gunicorn's own process says farewell to one that is gone
        return
    leaving = sys.exc_info()[1]
    status = leaving.code if isinstance(leaving, SystemExit) else None
    logging.shutdown()
    os._exit(status if isinstance(status, int) else 0)
