"""Codes of the draw part."""

from campaigns.domain.codes.model import Code

CODES: dict[str, Code] = {}
