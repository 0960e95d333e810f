"""Marea's settings, with the tests' files in a folder of their own.

pytest-django reads settings before any conftest.py, so this is where the folder is chosen.
"""

import os
import tempfile

os.environ.setdefault("MAREA_DATA", tempfile.mkdtemp(prefix="marea-test-"))

from webapp.settings import *  # noqa: F403
from webapp.settings import DATABASES, STATIC_ROOT, STORAGES

# Static files keep their names, since no test needs `collectstatic` to have run.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT.mkdir(exist_ok=True)  # whitenoise warns without it
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True  # servers in tests find them in place

# A live server's threads must not hold on to connections: the test database could not be dropped.
DATABASES["default"]["CONN_MAX_AGE"] = 0
