from django.apps import AppConfig


class FindConfig(AppConfig):
    name = "webapp.find"
    label = "find"
