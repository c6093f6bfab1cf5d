"""The lines of a sealed payment, as its text has them."""

from typing import NamedTuple
from uuid import UUID

from campaigns.domain.evidence import EvidenceError, Row


class Line(NamedTuple):
    """One voucher's part: facts of the authorization that never change."""

    line: int
    voucher_id: UUID
    campaign_id: UUID
    operator_id: UUID
    terms_version_id: int
    eligible_fen: int
    available_fen: int
    authorized_fen: int


def lines_of(payment: Row) -> list[Line]:
    """The lines of a payment's row. Raises EvidenceError."""
    return [_line(payment, text) for text in payment.lines]


def _line(payment: Row, text: str) -> Line:
    try:
        line, voucher, campaign, operator, version, eligible, available, authorized = text.split(" ")
        return Line(
            int(line), UUID(voucher), UUID(campaign), UUID(operator), int(version), int(eligible), int(available),
            int(authorized),
        )  # fmt: skip
    except ValueError as error:
        raise EvidenceError(f"{payment.name}: a line cannot be read") from error
