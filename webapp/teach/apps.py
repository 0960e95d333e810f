from importlib import import_module

from django.apps import AppConfig

MODELS = (
    "job_models",
    "text_models",
    "datasets.models",
    "runs.models",
    "switching.models",
    "taught.models",
)


class TeachConfig(AppConfig):
    name = "webapp.teach"
    label = "teach"
    verbose_name = "Models and training"

    def import_models(self) -> None:
        """Also those of rooms of their own."""
        super().import_models()
        for module in MODELS:
            import_module(f"{self.name}.{module}")
