"""What every test starts from."""

import shutil

import pytest
from django.conf import settings

from webapp.find import engine


@pytest.fixture(autouse=True)
def no_index() -> None:
    """The process's index follows its database; a test's database is rolled back behind it."""
    engine.close()
    shutil.rmtree(settings.MAREA_INDEX, ignore_errors=True)
