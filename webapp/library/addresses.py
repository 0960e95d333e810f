"""Addresses of photos, many at a time: `reverse` takes longer than all else about a tile."""

from functools import lru_cache

from django.urls import get_script_prefix, reverse

_SOME = 987_654_321  # stands for the photo's number, which addresses have once


def photo_url(photo_id: int) -> str:
    return _address("library:photo", photo_id)


def thumbnail_address(photo_id: int, size: str) -> str:
    return _address("library:thumbnail", photo_id, size)


def _address(name: str, photo_id: int, *rest: str) -> str:
    return _of_some(get_script_prefix(), name, *rest).replace(str(_SOME), str(photo_id), 1)


@lru_cache(maxsize=64)
def _of_some(prefix: str, name: str, *rest: str) -> str:
    """`prefix` is where the server mounts us, which is part of the address."""
    return reverse(name, args=[_SOME, *rest])
