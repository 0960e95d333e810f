from django.apps import AppConfig


class LibraryConfig(AppConfig):
    name = "webapp.library"
    label = "library"

    def ready(self) -> None:
        from webapp import checks  # noqa: F401  registers the system checks
