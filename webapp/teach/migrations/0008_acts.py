"""What was said at once gets an id; what was said before this got one for each event."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


def give_each_an_act(apps, schema_editor):
    Correction = apps.get_model("teach", "Correction")
    last = 0
    while rows := list(Correction.objects.filter(pk__gt=last).order_by("pk").only("pk")[:1000]):
        for row in rows:
            row.act = uuid.uuid4()
        Correction.objects.bulk_update(rows, ["act"])
        last = rows[-1].pk


class Migration(migrations.Migration):

    dependencies = [
        ('teach', '0007_one_tag_a_version'),
    ]

    operations = [
        migrations.AlterField(
            model_name='correction',
            name='kind',
            field=models.CharField(choices=[('add_tag', 'added a tag'), ('confirm_tag', 'confirmed a tag'), ('reject_tag', 'rejected a tag'), ('caption', 'wrote a caption'), ('undo', 'took something back')], max_length=11),
        ),
        migrations.AddField(
            model_name='correction',
            name='undoes',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='undone_by', to='teach.correction'),
        ),
        migrations.AddField(
            model_name='correction',
            name='act',
            field=models.UUIDField(null=True),
        ),
        migrations.RunPython(give_each_an_act, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='correction',
            name='act',
            field=models.UUIDField(db_index=True, default=uuid.uuid4),
        ),
    ]
