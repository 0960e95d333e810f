"""Tags that models see belong to a version from here on: what is there is the active one's."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def name_versions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    seen = apps.get_model("teach", "PhotoTag").objects.filter(source="model", version=None)
    active = apps.get_model("teach", "ModelVersion").objects.filter(is_active=True).first()
    if active:
        seen.update(version=active)
    else:
        seen.delete()  # of no version that serves; `Sight.tags` still has them


class Migration(migrations.Migration):
    dependencies = [("teach", "0005_training_runs")]

    operations = [
        migrations.RemoveConstraint("phototag", "tag_once_a_photo"),
        migrations.AddField(
            "phototag",
            "version",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="photo_tags",
                to="teach.modelversion",
            ),
        ),
        migrations.RunPython(name_versions, migrations.RunPython.noop),
    ]
