"""A campaign's file between its text, its row and its typed data."""

from datetime import datetime
from hashlib import sha256

from msgspec import Struct

from campaigns.domain.definition.load import from_plain, load, to_plain
from campaigns.domain.definition.model import Definition
from campaigns.domain.errors import Invalid
from campaigns.domain.principal import Principal
from campaigns.domain.terms.compile import compile_version
from campaigns.domain.terms.model import CompiledTerms
from campaigns.domain.windows import parse_window, zone_of
from campaigns.services.fields import FileText
from campaigns.services.problems import Said, refuse_all
from campaigns.store import campaigns as store
from campaigns.store.pool import Connection
from campaigns.store.programmes import programme_row


class CampaignSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A campaign file (YAML)."""

    source: FileText


def load_definition(source: str) -> Definition:
    """Read a campaign file. Raises Invalid ``definition_invalid`` that carries every problem."""
    definition, problems = load(source)
    if definition is None:
        raise refuse_all(
            "definition_invalid",
            [Said(p.line, p.column, p.path, p.code, p.say("zh"), p.say("en")) for p in problems],
            column=problems[0].column,
        )
    return definition


def definition_of(row: store.CampaignRow) -> Definition:
    """The definition a campaign's row holds."""
    return from_plain(row.definition)


def method_of(definition: Definition) -> str:
    """How the campaign hands out value: draw, list or rush."""
    return str(definition.issuing.__struct_config__.tag)


def compiled_terms(definition: Definition, version: int) -> CompiledTerms:
    """Compile a definition's terms. Raises Invalid, e.g. for a year without public holidays."""
    spending = definition.windows.spending
    window = parse_window(spending.start, spending.end, zone_of(definition.time_zone))
    return compile_version(
        definition.code, version, definition.terms, definition.merchants, window, definition.time_zone
    )


async def check_programme(connection: Connection, principal: Principal, definition: Definition) -> None:
    """Raise Invalid ``other_programme`` unless the file names the caller's programme."""
    programme = (await programme_row(connection, principal.programme_id))["code"]
    if definition.programme != programme:
        raise Invalid("other_programme", given=definition.programme, programme=programme)


def file_of(source: str, definition: Definition) -> store.CampaignFile:
    """What a campaign's row keeps of its file."""
    zone = zone_of(definition.time_zone)
    stages = definition.windows
    windows: list[datetime | None] = []
    for stage in (stages.registration, stages.draw, stages.acceptance, stages.spending):
        windows += (None, None) if stage is None else parse_window(stage.start, stage.end, zone)
    return store.CampaignFile(
        code=definition.code,
        source=source,
        definition=to_plain(definition),
        digest=sha256(source.encode()).digest(),
        time_zone=definition.time_zone,
        windows=tuple(windows),
        refund_days=definition.refund_days,
    )
