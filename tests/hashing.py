"""Passwords of tests."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class LightArgon2(Argon2PasswordHasher):
    """The hash that ships, with the least work and memory: nobody has to be kept from guessing."""

    time_cost, memory_cost, parallelism = 1, 1024, 1
