"""Codes of the lifecycle part."""

from campaigns.domain.codes.model import Code

CODES: dict[str, Code] = {}
