"""Models of the tables that change slowly: definitions, merchants, people, staff.

They shape the migrations and serve reads. Every write goes through SQL in one transaction of the asyncpg
pool (decision 0004), and the hot tables have no model at all.
"""

from tortoise import fields
from tortoise.models import Model


class Programme(Model):
    """A programme: the office, its units and staff, and the kind of proof that identifies a person."""

    id = fields.UUIDField(primary_key=True)
    code = fields.CharField(64, unique=True)
    name_zh = fields.TextField()
    name_en = fields.TextField()
    identifying_kind = fields.CharField(16)
    created_at = fields.DatetimeField()

    class Meta:
        table = "programme"


class Unit(Model):
    """A unit of the programme (office, finance, an operating bank's branch ...)."""

    id = fields.UUIDField(primary_key=True)
    programme = fields.ForeignKeyField("hongbao.Programme", on_delete=fields.RESTRICT)
    code = fields.CharField(64)
    name_zh = fields.TextField()
    name_en = fields.TextField()

    class Meta:
        table = "unit"
        unique_together = (("programme", "code"),)


class Staff(Model):
    """A member of staff; ``roles`` are officer, approver, finance, draw, support, auditor."""

    id = fields.UUIDField(primary_key=True)
    unit = fields.ForeignKeyField("hongbao.Unit", on_delete=fields.RESTRICT)
    programme = fields.ForeignKeyField("hongbao.Programme", on_delete=fields.RESTRICT)
    login = fields.CharField(64, unique=True)
    name = fields.TextField()
    roles = fields.JSONField()
    active = fields.BooleanField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "staff"


class Operator(Model):
    """An operating institution; its roles (custody, acquiring, wallet) follow from where it is named."""

    id = fields.UUIDField(primary_key=True)
    programme = fields.ForeignKeyField("hongbao.Programme", on_delete=fields.RESTRICT)
    code = fields.CharField(64)
    name_zh = fields.TextField()
    name_en = fields.TextField()

    class Meta:
        table = "operator"
        unique_together = (("programme", "code"),)


class ApiKey(Model):
    """A bearer key: 256 random bits, stored as SHA-256. ``kind`` and ``subject_id`` say whose it is."""

    id = fields.UUIDField(primary_key=True)
    digest = fields.BinaryField()
    kind = fields.CharField(16)
    subject_id = fields.UUIDField()
    programme = fields.ForeignKeyField("hongbao.Programme", on_delete=fields.RESTRICT)
    label = fields.TextField()
    scopes = fields.JSONField()
    created_at = fields.DatetimeField()
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "api_key"


class Funder(Model):
    """Who pays for a campaign, with a share in basis points."""

    id = fields.UUIDField(primary_key=True)
    campaign = fields.ForeignKeyField("hongbao.Campaign", on_delete=fields.RESTRICT)
    code = fields.CharField(64)
    name_zh = fields.TextField()
    name_en = fields.TextField()
    share_bp = fields.IntField()

    class Meta:
        table = "funder"
        unique_together = (("campaign", "code"),)


class Campaign(Model):
    """A campaign: its file (``source``), the same as data, its state (domain/states.py) and its moments."""

    id = fields.UUIDField(primary_key=True)
    seq = fields.IntField(unique=True)  # small number for advisory locks, from the sequence campaign_seq
    programme = fields.ForeignKeyField("hongbao.Programme", on_delete=fields.RESTRICT)
    code = fields.CharField(64)
    state = fields.CharField(16)
    source = fields.TextField()
    definition = fields.JSONField()
    digest = fields.BinaryField()
    author = fields.ForeignKeyField("hongbao.Staff", related_name="authored", on_delete=fields.RESTRICT)
    approver = fields.ForeignKeyField(
        "hongbao.Staff", related_name="approved", on_delete=fields.RESTRICT, null=True
    )
    time_zone = fields.CharField(64)
    registration_start = fields.DatetimeField(null=True)
    registration_end = fields.DatetimeField(null=True)
    draw_start = fields.DatetimeField(null=True)
    draw_end = fields.DatetimeField(null=True)
    acceptance_start = fields.DatetimeField(null=True)
    acceptance_end = fields.DatetimeField(null=True)
    spending_start = fields.DatetimeField()
    spending_end = fields.DatetimeField()
    refund_days = fields.IntField()
    created_at = fields.DatetimeField()
    published_at = fields.DatetimeField(null=True)
    entries_closed_at = fields.DatetimeField(null=True)
    closed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "campaign"
        unique_together = (("programme", "code"),)


class TermsVersion(Model):
    """One compiled version of a campaign's terms; a voucher keeps the version of its grant."""

    id = fields.BigIntField(primary_key=True)
    campaign = fields.ForeignKeyField("hongbao.Campaign", on_delete=fields.RESTRICT)
    version = fields.IntField()
    compiled = fields.TextField()
    digest = fields.BinaryField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "terms_version"
        unique_together = (("campaign", "version"),)


class Merchant(Model):
    """A merchant: who is paid. ``tags`` and ``mcc`` feed the whitelist."""

    id = fields.UUIDField(primary_key=True)
    programme = fields.ForeignKeyField("hongbao.Programme", on_delete=fields.RESTRICT)
    code = fields.CharField(64)
    name = fields.TextField()
    credit_code = fields.CharField(18)
    acquiring_operator = fields.ForeignKeyField("hongbao.Operator", on_delete=fields.RESTRICT)
    tags = fields.JSONField()
    mcc = fields.CharField(4)
    active = fields.BooleanField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "merchant"
        unique_together = (("programme", "code"),)


class Store(Model):
    """A store of a merchant: a place where vouchers are spent."""

    id = fields.UUIDField(primary_key=True)
    merchant = fields.ForeignKeyField("hongbao.Merchant", on_delete=fields.RESTRICT)
    code = fields.CharField(64)
    name = fields.TextField()
    place = fields.CharField(12)
    zones = fields.JSONField()
    scenario = fields.CharField(32)
    latitude_e6 = fields.IntField(null=True)
    longitude_e6 = fields.IntField(null=True)
    active = fields.BooleanField()

    class Meta:
        table = "store"
        unique_together = (("merchant", "code"),)


class Terminal(Model):
    """A till of a store, with the static store code residents may scan."""

    id = fields.UUIDField(primary_key=True)
    store = fields.ForeignKeyField("hongbao.Store", on_delete=fields.RESTRICT)
    code = fields.CharField(64)
    store_code = fields.CharField(18, unique=True)
    channel = fields.CharField(16)
    active = fields.BooleanField()

    class Meta:
        table = "terminal"
        unique_together = (("store", "code"),)


class Person(Model):
    """A resident; what identifies them is in their proofs alone."""

    id = fields.UUIDField(primary_key=True)
    programme = fields.ForeignKeyField("hongbao.Programme", on_delete=fields.RESTRICT)
    created_at = fields.DatetimeField()

    class Meta:
        table = "person"


class PersonProof(Model):
    """HMAC(key, kind, normal form) of something a person proved; unique per programme and kind."""

    id = fields.UUIDField(primary_key=True)
    programme = fields.ForeignKeyField("hongbao.Programme", on_delete=fields.RESTRICT)
    person = fields.ForeignKeyField("hongbao.Person", on_delete=fields.RESTRICT)
    kind = fields.CharField(16)
    hmac = fields.BinaryField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "person_proof"


class Token(Model):
    """What carries value for a person: chat account, paper code, card (its number as an HMAC)."""

    id = fields.UUIDField(primary_key=True)
    person = fields.ForeignKeyField("hongbao.Person", on_delete=fields.RESTRICT)
    kind = fields.CharField(16)
    hmac = fields.BinaryField()
    created_at = fields.DatetimeField()
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "token"


class Wallet(Model):
    """A person's account at an operator, bound with the operator's confirmation."""

    id = fields.UUIDField(primary_key=True)
    person = fields.ForeignKeyField("hongbao.Person", on_delete=fields.RESTRICT)
    operator = fields.ForeignKeyField("hongbao.Operator", on_delete=fields.RESTRICT)
    newly_opened = fields.BooleanField()
    bound_at = fields.DatetimeField()

    class Meta:
        table = "wallet"
        unique_together = (("person", "operator"),)


class Entry(Model):
    """A person's entry in a campaign's draw. ``code`` is the public entry id."""

    id = fields.UUIDField(primary_key=True)
    campaign = fields.ForeignKeyField("hongbao.Campaign", on_delete=fields.RESTRICT)
    person = fields.ForeignKeyField("hongbao.Person", on_delete=fields.RESTRICT)
    code = fields.CharField(40)
    stratum = fields.CharField(32)
    tickets = fields.SmallIntField()
    accept_if_won = fields.BooleanField()
    log_index = fields.BigIntField()
    entered_at = fields.DatetimeField()
    struck_reason = fields.CharField(32, null=True)

    class Meta:
        table = "entry"
        unique_together = (("campaign", "person"),)
