"""Text read in photos, and the columns of full text for it, for places and for albums.

Every photo is found as before while workers read; nothing needs to be rebuilt.
"""

import django.db.models.deletion
from django.db import migrations, models

from search import fulltext


def widen(apps, schema_editor):
    fulltext.widen_table(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('library', '0001_initial'),
        ('teach', '0003_model_jobs'),
        ('find', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReadText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('engine', models.CharField(max_length=60)),
                ('text', models.TextField(blank=True)),
                ('confidence', models.FloatField(default=0.0)),
                ('lines', models.JSONField(default=list)),
                ('failed', models.CharField(blank=True, max_length=300)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('lease_until', models.DateTimeField(null=True)),
                ('read_at', models.DateTimeField(null=True)),
                ('photo', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='read_texts', to='library.photo')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('read_at', None)), fields=['lease_until'], name='being_read')],
                'constraints': [models.UniqueConstraint(fields=('photo', 'engine'), name='read_once_an_engine')],
            },
        ),
        migrations.RunPython(widen, migrations.RunPython.noop),
    ]
