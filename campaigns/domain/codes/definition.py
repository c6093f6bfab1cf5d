"""Codes of the definition part."""

from campaigns.domain.codes.model import Code

CODES: dict[str, Code] = {}
