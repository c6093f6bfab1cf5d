"""Codes of the decide part."""

from campaigns.domain.codes.model import Code

CODES: dict[str, Code] = {}
