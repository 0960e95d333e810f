"""The compose file of docs/scale.md starts what the supervisor starts, with settings that exist."""

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from webapp.environment import DECLARED
from workers.supervision import marea

DOCS = Path(settings.BASE_DIR) / "docs"
# Read by boto3, which keeps the keys of the bucket out of our settings.
OF_OTHERS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
OURS = {"web", "look", "care", "clock"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DOCS / "compose.yaml").read_text())


def test_every_setting_of_ours_exists(compose: dict[str, Any]) -> None:
    for name in (*OURS, "prepare"):
        environment = set(compose["services"][name]["environment"])
        assert environment - OF_OTHERS <= set(DECLARED)
        assert {"DATABASE_URL", "REDIS_URL", "SEARCH_ENGINE", "MAREA_S3_BUCKET"} <= environment


def test_the_programs_are_those_of_the_supervisor(compose: dict[str, Any]) -> None:
    programs = (marea.web(), marea.looker(), marea.caretaker(), marea.clock())
    for program in programs:
        command = compose["services"][program.name]["command"]
        expected = ["python", *program.command[1:]]
        assert program.command[0] == sys.executable
        place = [part for part in expected if part.startswith("--schedule=")]
        assert [part for part in command if not part.startswith("--schedule=")] == [
            part for part in expected if part not in place
        ]


def test_addresses_lead_to_services_and_whoever_is_waited_for_is_there(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    environment = services["web"]["environment"]
    hosts = {
        environment["DATABASE_URL"].rpartition("@")[2].partition("/")[0],
        environment["REDIS_URL"].split("//")[1].partition(":")[0],
        environment["SEARCH_ENGINE"].split("//")[1].partition(":")[0],
        environment["MAREA_S3_ENDPOINT"].split("//")[1].partition(":")[0],
    }
    assert hosts <= set(services)
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in services[name]
        mounted = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert mounted <= set(compose["volumes"])


def test_the_image_is_made_of_what_is_there(compose: dict[str, Any]) -> None:
    build = compose["services"]["web"]["build"]
    assert (DOCS / build["context"]).resolve() == Path(settings.BASE_DIR).resolve()
    dockerfile = (Path(settings.BASE_DIR) / build["dockerfile"]).read_text()
    for line in dockerfile.splitlines():
        if line.startswith("COPY "):
            for source in shlex.split(line)[1:-1]:
                assert (Path(settings.BASE_DIR) / source).exists(), source
