"""Create the tables that move value, from the SQL beside this file."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("hongbao", "0001_initial")]

    operations = [ops.RunSQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))]
