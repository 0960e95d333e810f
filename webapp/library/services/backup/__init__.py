"""Backups: incremental, made while Marea is at work, restored into SQLite or PostgreSQL alike."""

from webapp.library.services.backup.layout import Manifest, backups_in, choose
from webapp.library.services.backup.making import make_backup
from webapp.library.services.backup.pruning import Pruned, prune_backups
from webapp.library.services.backup.restoring import (
    check_backup,
    check_library,
    restore_originals,
    restore_rows,
)

__all__ = [
    "Manifest",
    "Pruned",
    "backups_in",
    "check_backup",
    "check_library",
    "choose",
    "make_backup",
    "prune_backups",
    "restore_originals",
    "restore_rows",
]
