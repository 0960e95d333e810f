from django.apps import AppConfig


class TeachConfig(AppConfig):
    name = "webapp.teach"
    label = "teach"
