"""Which version looks and searches, and where its files are."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from search import fulltext
from webapp.teach.models import ModelVersion
from webapp.teach.versions.serving import serving

SHIPPED_WEIGHTS = Path(__file__).resolve().parents[3] / "vision" / "weights"


def active_version() -> ModelVersion:
    """The version that looks and searches, within one request always the same; the shipped one is
    registered on first use."""
    block = serving()
    if block and block.version:
        return block.version
    version = ModelVersion.objects.active() or _first_version()
    if block:
        block.version = version
    return version


def _first_version() -> ModelVersion:
    version, _ = ModelVersion.objects.get_or_create(name=settings.MAREA_MODEL)
    version.is_active, version.activated_at, version.is_ready = True, timezone.now(), True
    if not version.texts and not ModelVersion.objects.filter(texts=fulltext.TABLE).exists():
        version.texts = fulltext.TABLE  # a migration has made it
    version.save(update_fields=["is_active", "activated_at", "is_ready", "texts"])
    return version


def weights_folder(version: ModelVersion) -> Path:
    """Where a version's files are; a relative folder is one in the data folder."""
    if not version.folder:
        return SHIPPED_WEIGHTS / version.name
    return Path(settings.MAREA_DATA) / version.folder


def digest_of(version: ModelVersion) -> str:
    """The SHA-256 of its manifest, which names the SHA-256 of each of its files; empty where it
    cannot be read."""
    try:
        manifest = (weights_folder(version) / "manifest.json").read_bytes()
    except OSError:
        return ""
    return hashlib.sha256(manifest).hexdigest()
