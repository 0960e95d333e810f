"""Ana, to whom the pages under test belong."""

import pytest
from django.test import Client

from tests.factories import a_user
from webapp.accounts.models import User


@pytest.fixture
def ana(db: None) -> User:
    return a_user("ana")


@pytest.fixture
def as_ana(ana: User) -> Client:
    """A browser in which Ana is signed in."""
    client = Client()
    client.force_login(ana)
    return client
