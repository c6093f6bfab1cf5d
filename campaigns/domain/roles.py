"""Which role of staff may do what, and which scopes each other kind of caller may hold.

Four eyes need two people: no role holds both `campaign.write` and `campaign.approve`, and who gives out roles
(``admin``) holds neither. The author's own approval is refused by the data, whatever roles they have.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

from campaigns.domain.errors import Denied
from campaigns.domain.principal import Principal

Role = Literal["admin", "officer", "approver", "finance", "draw", "support", "auditor"]
KeyKind = Literal["channel", "terminal", "merchant", "operator", "staff", "auditor"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

ROLE_SCOPES: Final[Mapping[str, frozenset[str]]] = {
    "admin": frozenset({"programme.write", "report.read"}),
    "officer": frozenset(
        {"campaign.write", "campaign.publish", "merchants.write", "list.issue", "report.read"}
    ),
    "approver": frozenset({"campaign.approve", "report.read"}),
    "finance": frozenset({"funds.write", "report.read"}),
    "draw": frozenset({"draw.write", "report.read"}),
    "support": frozenset({"report.read"}),
    "auditor": frozenset({"audit.read", "report.read"}),
}
KIND_SCOPES: Final[Mapping[KeyKind, frozenset[str]]] = {
    "channel": frozenset(
        {"people.write", "entries.write", "vouchers.read", "vouchers.write", "codes.write", "pay.store_code"}
    ),
    "terminal": frozenset({"pay", "refund"}),
    "merchant": frozenset({"merchant.read", "refund"}),
    "operator": frozenset({"operator.read", "people.write"}),
    "staff": frozenset().union(*ROLE_SCOPES.values()),
    "auditor": ROLE_SCOPES["auditor"],
}


def scopes_of(roles: Iterable[str]) -> frozenset[str]:
    """Every scope these staff roles hold together."""
    return frozenset().union(*(ROLE_SCOPES[role] for role in roles))


def require(principal: Principal, scope: str) -> None:
    """Raise Denied ``scope_missing`` unless the caller holds ``scope``."""
    if scope not in principal.scopes:
        raise Denied("scope_missing", scope=scope)


def require_staff(principal: Principal, scope: str) -> None:
    """Raise Denied unless the caller is a member of staff who holds ``scope``: acts that name their author."""
    if principal.kind != "staff":
        raise Denied("scope_missing", scope=scope)
    require(principal, scope)
