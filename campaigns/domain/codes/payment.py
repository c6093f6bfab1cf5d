"""Codes of the payment part."""

from campaigns.domain.codes.model import Code

CODES: dict[str, Code] = {}
