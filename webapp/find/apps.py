from django.apps import AppConfig


class FindConfig(AppConfig):
    name = "webapp.find"
    label = "find"

    def import_models(self) -> None:
        """Also those of the search history, which has a room of its own."""
        super().import_models()
        from webapp.find.history import models  # noqa: F401
