import functools
from json import dumps, loads
from uuid import uuid4

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Programme",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("code", fields.CharField(unique=True, max_length=64)),
                ("name_zh", fields.TextField(unique=False)),
                ("name_en", fields.TextField(unique=False)),
                ("identifying_kind", fields.CharField(max_length=16)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "programme",
                "app": "hongbao",
                "pk_attr": "id",
                "table_description": "A programme: the office, its units and staff, and the kind of proof that identifies a person.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ApiKey",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("digest", fields.BinaryField()),
                ("kind", fields.CharField(max_length=16)),
                ("subject_id", fields.UUIDField()),
                (
                    "programme",
                    fields.ForeignKeyField(
                        "hongbao.Programme",
                        source_field="programme_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("label", fields.TextField(unique=False)),
                (
                    "scopes",
                    fields.JSONField(encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "api_key",
                "app": "hongbao",
                "pk_attr": "id",
                "table_description": "A bearer key: 256 random bits, stored as SHA-256. ``kind`` and ``subject_id`` say whose it is.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Operator",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "programme",
                    fields.ForeignKeyField(
                        "hongbao.Programme",
                        source_field="programme_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(max_length=64)),
                ("name_zh", fields.TextField(unique=False)),
                ("name_en", fields.TextField(unique=False)),
            ],
            options={
                "table": "operator",
                "app": "hongbao",
                "unique_together": (("programme", "code"),),
                "pk_attr": "id",
                "table_description": "An operating institution; its roles (custody, acquiring, wallet) follow from where it is named.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Merchant",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "programme",
                    fields.ForeignKeyField(
                        "hongbao.Programme",
                        source_field="programme_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(max_length=64)),
                ("name", fields.TextField(unique=False)),
                ("credit_code", fields.CharField(max_length=18)),
                (
                    "acquiring_operator",
                    fields.ForeignKeyField(
                        "hongbao.Operator",
                        source_field="acquiring_operator_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "tags",
                    fields.JSONField(encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads),
                ),
                ("mcc", fields.CharField(max_length=4)),
                ("active", fields.BooleanField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "merchant",
                "app": "hongbao",
                "unique_together": (("programme", "code"),),
                "pk_attr": "id",
                "table_description": "A merchant: who is paid. ``tags`` and ``mcc`` feed the whitelist.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Person",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "programme",
                    fields.ForeignKeyField(
                        "hongbao.Programme",
                        source_field="programme_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "person",
                "app": "hongbao",
                "pk_attr": "id",
                "table_description": "A resident; what identifies them is in their proofs alone.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PersonProof",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "programme",
                    fields.ForeignKeyField(
                        "hongbao.Programme",
                        source_field="programme_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "hongbao.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(max_length=16)),
                ("hmac", fields.BinaryField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "person_proof",
                "app": "hongbao",
                "pk_attr": "id",
                "table_description": "HMAC(key, kind, normal form) of something a person proved; unique per programme and kind.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Store",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "merchant",
                    fields.ForeignKeyField(
                        "hongbao.Merchant",
                        source_field="merchant_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(max_length=64)),
                ("name", fields.TextField(unique=False)),
                ("place", fields.CharField(max_length=12)),
                (
                    "zones",
                    fields.JSONField(encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads),
                ),
                ("scenario", fields.CharField(max_length=32)),
                ("latitude_e6", fields.IntField(null=True)),
                ("longitude_e6", fields.IntField(null=True)),
                ("active", fields.BooleanField()),
            ],
            options={
                "table": "store",
                "app": "hongbao",
                "unique_together": (("merchant", "code"),),
                "pk_attr": "id",
                "table_description": "A store of a merchant: a place where vouchers are spent.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Terminal",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "store",
                    fields.ForeignKeyField(
                        "hongbao.Store",
                        source_field="store_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(max_length=64)),
                ("store_code", fields.CharField(unique=True, max_length=18)),
                ("channel", fields.CharField(max_length=16)),
                ("active", fields.BooleanField()),
            ],
            options={
                "table": "terminal",
                "app": "hongbao",
                "unique_together": (("store", "code"),),
                "pk_attr": "id",
                "table_description": "A till of a store, with the static store code residents may scan.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Token",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "person",
                    fields.ForeignKeyField(
                        "hongbao.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(max_length=16)),
                ("hmac", fields.BinaryField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "token",
                "app": "hongbao",
                "pk_attr": "id",
                "table_description": "What carries value for a person: chat account, paper code, card (its number as an HMAC).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Unit",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "programme",
                    fields.ForeignKeyField(
                        "hongbao.Programme",
                        source_field="programme_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(max_length=64)),
                ("name_zh", fields.TextField(unique=False)),
                ("name_en", fields.TextField(unique=False)),
            ],
            options={
                "table": "unit",
                "app": "hongbao",
                "unique_together": (("programme", "code"),),
                "pk_attr": "id",
                "table_description": "A unit of the programme (office, finance, an operating bank's branch ...).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Staff",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "unit",
                    fields.ForeignKeyField(
                        "hongbao.Unit",
                        source_field="unit_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "programme",
                    fields.ForeignKeyField(
                        "hongbao.Programme",
                        source_field="programme_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("login", fields.CharField(unique=True, max_length=64)),
                ("name", fields.TextField(unique=False)),
                (
                    "roles",
                    fields.JSONField(encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads),
                ),
                ("active", fields.BooleanField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "staff",
                "app": "hongbao",
                "pk_attr": "id",
                "table_description": "A member of staff; ``roles`` are officer, approver, finance, draw, support, auditor.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Campaign",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("seq", fields.IntField(unique=True)),
                (
                    "programme",
                    fields.ForeignKeyField(
                        "hongbao.Programme",
                        source_field="programme_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(max_length=64)),
                ("state", fields.CharField(max_length=16)),
                ("source", fields.TextField(unique=False)),
                (
                    "definition",
                    fields.JSONField(encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads),
                ),
                ("digest", fields.BinaryField()),
                (
                    "author",
                    fields.ForeignKeyField(
                        "hongbao.Staff",
                        source_field="author_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="authored",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "approver",
                    fields.ForeignKeyField(
                        "hongbao.Staff",
                        source_field="approver_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="approved",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("time_zone", fields.CharField(max_length=64)),
                ("registration_start", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("registration_end", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("draw_start", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("draw_end", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("acceptance_start", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("acceptance_end", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("spending_start", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("spending_end", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("refund_days", fields.IntField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("published_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("entries_closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "campaign",
                "app": "hongbao",
                "unique_together": (("programme", "code"),),
                "pk_attr": "id",
                "table_description": "A campaign: its file (``source``), the same as data, its state (domain/states.py) and its moments.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Entry",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "campaign",
                    fields.ForeignKeyField(
                        "hongbao.Campaign",
                        source_field="campaign_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "hongbao.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(max_length=40)),
                ("stratum", fields.CharField(max_length=32)),
                ("tickets", fields.SmallIntField()),
                ("accept_if_won", fields.BooleanField()),
                ("log_index", fields.BigIntField()),
                ("entered_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("struck_reason", fields.CharField(null=True, max_length=32)),
            ],
            options={
                "table": "entry",
                "app": "hongbao",
                "unique_together": (("campaign", "person"),),
                "pk_attr": "id",
                "table_description": "A person's entry in a campaign's draw. ``code`` is the public entry id.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Funder",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "campaign",
                    fields.ForeignKeyField(
                        "hongbao.Campaign",
                        source_field="campaign_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(max_length=64)),
                ("name_zh", fields.TextField(unique=False)),
                ("name_en", fields.TextField(unique=False)),
                ("share_bp", fields.IntField()),
            ],
            options={
                "table": "funder",
                "app": "hongbao",
                "unique_together": (("campaign", "code"),),
                "pk_attr": "id",
                "table_description": "Who pays for a campaign, with a share in basis points.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="TermsVersion",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "campaign",
                    fields.ForeignKeyField(
                        "hongbao.Campaign",
                        source_field="campaign_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("version", fields.IntField()),
                ("compiled", fields.TextField(unique=False)),
                ("digest", fields.BinaryField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "terms_version",
                "app": "hongbao",
                "unique_together": (("campaign", "version"),),
                "pk_attr": "id",
                "table_description": "One compiled version of a campaign's terms; a voucher keeps the version of its grant.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Wallet",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "person",
                    fields.ForeignKeyField(
                        "hongbao.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "operator",
                    fields.ForeignKeyField(
                        "hongbao.Operator",
                        source_field="operator_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("newly_opened", fields.BooleanField()),
                ("bound_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "wallet",
                "app": "hongbao",
                "unique_together": (("person", "operator"),),
                "pk_attr": "id",
                "table_description": "A person's account at an operator, bound with the operator's confirmation.",
            },
            bases=["Model"],
        ),
    ]
