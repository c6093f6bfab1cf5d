"""Compiled terms by version: a version never changes, so a process reads each once."""

from campaigns.domain.terms.compile import read_compiled
from campaigns.domain.terms.rules import Rules, compile_terms
from campaigns.store.pool import Connection

MAX_VERSIONS = 4_096


class TermsCache:
    """Answers the `Rules` of a terms version, from memory after the first time."""

    def __init__(self) -> None:
        self._rules: dict[int, Rules] = {}

    async def get(self, connection: Connection, terms_version_id: int) -> Rules:
        rules = self._rules.get(terms_version_id)
        if rules is None:
            stored = await connection.fetchval(
                "SELECT compiled FROM terms_version WHERE id = $1", terms_version_id
            )
            assert stored is not None, f"terms version {terms_version_id} is gone"
            if len(self._rules) >= MAX_VERSIONS:
                self._rules.clear()
            rules = self._rules[terms_version_id] = compile_terms(read_compiled(stored.encode()))
        return rules
