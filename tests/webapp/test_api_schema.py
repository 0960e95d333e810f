"""The OpenAPI document against a running server: schemathesis sends what the document allows,
and what it does not, and compares the answers with it.
"""

import json
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.factories import a_photo, a_sight, a_token, a_user
from webapp.api import api

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]

config = schemathesis.Config(seed=12)
DOCUMENT = json.loads(json.dumps(api.get_openapi_schema()))
schema = schemathesis.openapi.from_dict(DOCUMENT, config=config)


@pytest.fixture
def program(live_server: Any) -> requests.Session:
    """A program of somebody with a few photos, the first of which has id 1 where ids start anew."""
    user = a_user()
    for _ in range(3):
        a_sight(a_photo(user), caption="a dog on a beach", tags=[("dog", 0.9)])
    a_photo(user, state="failed", error="It is broken.")
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {a_token(user, scope='write')}"
    return session


@pytest.mark.django_db(transaction=True)
def test_the_running_server_hands_out_this_document(live_server: Any) -> None:
    a_user()
    served = requests.get(f"{live_server.url}/api/v1/openapi.json", timeout=10).json()
    assert served == DOCUMENT


@schema.parametrize()
@hypothesis.settings(
    max_examples=10,
    deadline=None,
    database=None,
    # One server and library serve all examples of an operation: they only pile up in it.
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_the_server_keeps_to_its_document(
    case: schemathesis.Case, live_server: Any, program: requests.Session
) -> None:
    case.call_and_validate(base_url=live_server.url, session=program, checks=CHECKS, timeout=30)
