"""The full-text table, made by the module that knows both databases."""

from django.db import migrations

from search import fulltext


def create(apps, schema_editor):
    fulltext.create_table(schema_editor.connection)


def drop(apps, schema_editor):
    fulltext.drop_table(schema_editor.connection)


class Migration(migrations.Migration):
    initial = True
    dependencies = [("library", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
