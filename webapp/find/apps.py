from django.apps import AppConfig


class FindConfig(AppConfig):
    name = "webapp.find"
    label = "find"

    def import_models(self) -> None:
        """Also those of past searches, which have a module of their own."""
        super().import_models()
        from webapp.find import event_models  # noqa: F401
