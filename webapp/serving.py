"""How gunicorn serves the pages: `gunicorn -c python:webapp.serving webapp.wsgi`."""

import os
from pathlib import Path

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
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
