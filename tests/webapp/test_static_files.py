"""Static files as they are served: hashed, and every import between our modules still right."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

TEMPLATES = settings.BASE_DIR / "templates"
HASHED = re.compile(r"\.[0-9a-f]{12}\.js$")
IMPORT = re.compile(r"""^\s*import\b[^;]*?["']([./][^"']+)["']""", re.M)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `collectstatic` makes of our files and those of packages."""
    folder = tmp_path_factory.mktemp("static")
    hashed = {"BACKEND": "webapp.static_storage.HashedStaticFiles"}
    storages = {**settings.STORAGES, "staticfiles": hashed}
    with override_settings(STATIC_ROOT=folder, STORAGES=storages):
        call_command("collectstatic", interactive=False, verbosity=0)
    return folder


def test_modules_import_each_other_by_hashed_names(collected: Path) -> None:
    hashed = [
        path for path in collected.glob("js/*.js") if re.search(r"\.[0-9a-f]{12}\.js$", path.name)
    ]
    assert hashed
    for module in hashed:
        for target in IMPORT.findall(module.read_text()):
            assert HASHED.search(target), f"{module.name} imports {target}"
            assert (module.parent / target).exists(), f"{module.name} imports {target}"


def test_what_is_for_developers_is_not_served(collected: Path) -> None:
    assert not list(collected.rglob("*.map")) + list(collected.rglob("*.d.ts"))


def test_hashed_files_are_compressed_beforehand(collected: Path) -> None:
    assert list(collected.glob("css/marea.*.css.gz"))


@pytest.mark.parametrize(
    "template", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES))
)
def test_templates_hold_nothing_that_the_content_policy_forbids(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle\s*=", text), "an inline style"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), "an inline handler"
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)", text), "an inline script or style"
    assert not re.search(r"(src|href)\s*=\s*[\"'](https?:)?//", text), "something from elsewhere"
