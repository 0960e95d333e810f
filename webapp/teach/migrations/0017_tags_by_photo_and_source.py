"""An index that finds what people said about many photos also finds all tags of a photo."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("teach", "0016_points_of_fits")]

    operations = [
        migrations.AddIndex(
            model_name="phototag",
            index=models.Index(fields=["photo", "source"], name="photo_source"),
        ),
        migrations.AlterField(
            model_name="phototag",
            name="photo",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="photo_tags",
                to="library.photo",
            ),
        ),
    ]
