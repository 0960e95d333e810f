"""Admin pages about models on input that no form of theirs sends: refused, never an error."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.factories import an_administrator
from tests.webapp.clients import browser_of
from tests.webapp.teach.runs.counting import counting
from webapp.teach import jobs
from webapp.teach.datasets.models import DataSet
from webapp.teach.job_models import ModelJob
from webapp.teach.models import ModelVersion
from webapp.teach.runs import lifecycle
from webapp.teach.runs.models import RunPoint, TrainingRun
from webapp.teach.versions.active import active_version, weights_folder
from webapp.teach.versions.folders import models_folder

pytestmark = pytest.mark.django_db

VERSIONS, RUNS = "/admin/teach/modelversion/", "/admin/teach/trainingrun/"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path
    models_folder().mkdir()


@pytest.fixture
def boss() -> Client:
    return browser_of(an_administrator())


def test_what_failed_does_not_go_on_beside_the_same_asked_for_anew(boss: Client) -> None:
    first = jobs.ask(ModelJob.Kind.ACTIVATE, "another")
    jobs.finish(first, failed="It failed.")
    second = jobs.ask(ModelJob.Kind.ACTIVATE, "another")
    answer = boss.post(f"{VERSIONS}go-on/{first.pk}/", follow=True)
    assert "is asked for already" in answer.content.decode()
    assert list(ModelJob.objects.unfinished()) == [second]


def test_a_long_reason_is_cut_as_it_is_kept(boss: Client) -> None:
    (models_folder() / "another").symlink_to(weights_folder(active_version()))
    ModelVersion.objects.create(name="another", folder="models/another")
    answer = boss.post(f"{VERSIONS}ask/activate/another/", {"reason": "why " * 400})
    assert answer.status_code == 302
    assert len(ModelJob.objects.get().reason) == 500


@pytest.mark.parametrize("address", [f"{VERSIONS}compare/?version=%00", f"{VERSIONS}pin/%00/"])
def test_a_name_that_no_database_can_look_up_is_nobodys(boss: Client, address: str) -> None:
    answer = boss.get(address) if "?" in address else boss.post(address)
    assert answer.status_code == 404


@pytest.mark.parametrize("seed", ["9" * 5000, "99999999999", "٣", "1.5"])
def test_a_seed_beyond_all_numbers_starts_nothing_and_breaks_nothing(
    boss: Client, seed: str
) -> None:
    data_set = DataSet.objects.create(title="Tiles", source="tiles.zip", state="ready", digest="0")
    form = {"title": "Tiles", "head": "linear", "seed": seed}
    answer = boss.post(f"/admin/teach/dataset/{data_set.pk}/train/", form)
    assert answer.status_code == 302
    assert TrainingRun.objects.count() == (seed == "٣")


def test_train_starts_no_kind_that_it_does_not_offer(boss: Client) -> None:
    answer = boss.post(f"{RUNS}train/", {"kind": "problem", "why": "To see."})
    assert answer.status_code == 404
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize("odd", [float("inf"), float("-inf"), float("nan")])
def test_a_training_that_diverged_has_a_page(boss: Client, odd: float) -> None:
    with counting():
        run = lifecycle.ask("counting", user=None, why="To see.", parameters={})
        points = [(1, 2.0), (2, odd)]
        RunPoint.objects.bulk_create(
            [
                RunPoint(run=run, measure="loss", series="training", step=step, value=value)
                for step, value in points
            ],
            ignore_conflicts=True,
        )
        page = boss.get(f"{RUNS}{run.pk}/")
    assert page.status_code == 200
    assert "loss over" in page.content.decode()
