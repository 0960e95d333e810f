from django.apps import AppConfig


class TeachConfig(AppConfig):
    name = "webapp.teach"
    label = "teach"

    def import_models(self) -> None:
        """Also those that have a module of their own."""
        super().import_models()
        from webapp.teach import (  # noqa: F401
            activation_models,
            data_models,
            job_models,
            run_models,
            taught_models,
            text_models,
        )
