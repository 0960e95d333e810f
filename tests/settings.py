"""Marea's settings, with the tests' files in a folder of their own.

pytest-django reads settings before any conftest.py, so this is where the folder is chosen.
"""

import os

from tests.folder import own_folder

os.environ["MAREA_DATA"] = own_folder()

from webapp.settings import *  # noqa: F403
from webapp.settings import DATABASES, STATIC_ROOT, STORAGES

# Static files keep their names, since no test needs `collectstatic` to have run.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT.mkdir(exist_ok=True)  # whitenoise warns without it
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True  # servers in tests find them in place

# A live server's threads must not hold on to connections: the test database could not be dropped.
DATABASES["default"]["CONN_MAX_AGE"] = 0

# Argon2 as it ships takes a tenth of a second and 100 MB each time; this one asks for little.
PASSWORD_HASHERS = ["tests.hashing.LightArgon2"]
