"""Tortoise models of the tables that a payment reads and writes, for B-orm alone.

Tortoise knows no composite keys: where the table has one, one of its columns stands in as the model's key, which is
enough to insert and to filter by all of them.
"""

from __future__ import annotations

from uuid import UUID

from tortoise import fields
from tortoise.models import Model


class Campaign(Model):
    """A campaign, as far as paying asks."""

    id = fields.UUIDField(primary_key=True)
    programme_id = fields.UUIDField()
    seq = fields.IntField()
    code = fields.CharField(64)
    state = fields.CharField(16)

    class Meta:
        table = "campaign"


class TermsVersion(Model):
    """The compiled terms."""

    id = fields.BigIntField(primary_key=True)
    compiled = fields.TextField()

    class Meta:
        table = "terms_version"


class Merchant(Model):
    """A merchant."""

    id = fields.UUIDField(primary_key=True)
    programme_id = fields.UUIDField()
    tags = fields.JSONField[list[str]]()
    active = fields.BooleanField()

    class Meta:
        table = "merchant"


class Store(Model):
    """A store of a merchant."""

    id = fields.UUIDField(primary_key=True)
    merchant: fields.ForeignKeyRelation[Merchant] = fields.ForeignKeyField("town.Merchant")
    place = fields.CharField(12)
    scenario = fields.CharField(32)
    active = fields.BooleanField()

    class Meta:
        table = "store"


class Terminal(Model):
    """A till of a store."""

    id = fields.UUIDField(primary_key=True)
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("town.Store")
    channel = fields.CharField(16)
    active = fields.BooleanField()

    class Meta:
        table = "terminal"


class Voucher(Model):
    """A voucher: what paying reads and what it moves."""

    id = fields.UUIDField(primary_key=True)
    campaign: fields.ForeignKeyRelation[Campaign] = fields.ForeignKeyField("town.Campaign")
    campaign_id: UUID
    person_id = fields.UUIDField()
    operator_id = fields.UUIDField()
    terms_version_id = fields.BigIntField()
    balance_fen = fields.BigIntField()
    captured_fen = fields.BigIntField()
    uses = fields.IntField()
    state = fields.CharField(16)
    expires_at = fields.DatetimeField()

    class Meta:
        table = "voucher"


class Payment(Model):
    """A payment."""

    id = fields.UUIDField(primary_key=True)
    programme_id = fields.UUIDField()
    person_id = fields.UUIDField()
    merchant_id = fields.UUIDField()
    store_id = fields.UUIDField()
    terminal_id = fields.UUIDField()
    code_id = fields.UUIDField(null=True)
    basket_fen = fields.BigIntField()
    purchase = fields.JSONField[dict[str, object]]()
    state = fields.CharField(16)
    subsidy_fen = fields.BigIntField()
    captured_basket_fen = fields.BigIntField(null=True)
    captured_fen = fields.BigIntField()
    authorized_at = fields.DatetimeField()
    hold_until = fields.DatetimeField()
    captured_at = fields.DatetimeField(null=True)

    class Meta:
        table = "payment"


class PaymentLine(Model):
    """One voucher's part of a payment; the key is (payment, line)."""

    payment_id = fields.UUIDField(primary_key=True)
    line = fields.SmallIntField()
    voucher_id = fields.UUIDField()
    campaign_id = fields.UUIDField()
    operator_id = fields.UUIDField()
    terms_version_id = fields.BigIntField()
    eligible_fen = fields.BigIntField()
    available_fen = fields.BigIntField()
    authorized_fen = fields.BigIntField()
    held_fen = fields.BigIntField()
    captured_fen = fields.BigIntField()

    class Meta:
        table = "payment_line"


class UsageCounter(Model):
    """What a cap has counted; the key is (campaign, cap, bucket, person, merchant)."""

    campaign_id = fields.UUIDField(primary_key=True)
    cap = fields.SmallIntField()
    bucket = fields.DateField()
    person_id = fields.UUIDField()
    merchant_id = fields.UUIDField()
    uses = fields.IntField(default=0)
    amount_fen = fields.BigIntField(default=0)

    class Meta:
        table = "usage_counter"


class Transfer(Model):
    """A line of the ledger; the key is (cause, kind, line)."""

    cause_id = fields.UUIDField(primary_key=True)
    kind = fields.CharField(16)
    line = fields.SmallIntField()
    campaign_id = fields.UUIDField()
    operator_id = fields.UUIDField()
    debit_kind = fields.CharField(16)
    debit_id = fields.UUIDField()
    credit_kind = fields.CharField(16)
    credit_id = fields.UUIDField()
    amount_fen = fields.BigIntField()
    at = fields.DatetimeField()

    class Meta:
        table = "transfer"


class Idempotency(Model):
    """The stored answer to a request; the key is (principal, key digest)."""

    principal_id = fields.UUIDField(primary_key=True)
    key_digest = fields.BinaryField()
    fingerprint = fields.BinaryField()
    status = fields.SmallIntField()
    body = fields.BinaryField()
    effect = fields.BooleanField()

    class Meta:
        table = "idempotency"
