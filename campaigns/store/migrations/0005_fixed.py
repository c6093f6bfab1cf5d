"""Keep what never changes of a voucher by statement, from the SQL beside this file."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("hongbao", "0004_audit")]

    operations = [ops.RunSQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))]
