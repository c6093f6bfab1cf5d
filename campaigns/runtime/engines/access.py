"""How to reach a database: the parts and the address, for asyncpg, tortoise and psql alike."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit, urlunsplit

POSTGRES_DEFAULT_PORT = 5432


@dataclass(frozen=True, slots=True)
class DatabaseAccess:
    """One role's way to one database. `host` is a host name or the directory of a Unix socket."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    dsn: str = field(repr=False)

    @property
    def credentials(self) -> dict[str, str | int]:
        """The parts as tortoise and `asyncpg.connect(**parts)` take them.

        For a server of the operator's own with further options in its address (such as `sslmode`)
        use `dsn`, which keeps them.
        """
        return {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "database": self.database,
        }

    @classmethod
    def on_socket(cls, directory: str, port: int, user: str, password: str, database: str) -> DatabaseAccess:
        """Access through the Unix socket in `directory`."""
        query = urlencode({"host": directory, "port": port}, quote_via=quote)
        dsn = f"postgresql://{quote(user)}:{quote(password)}@/{quote(database)}?{query}"
        return cls(host=directory, port=port, user=user, password=password, database=database, dsn=dsn)

    @classmethod
    def from_url(cls, url: str) -> DatabaseAccess:
        """Access as an operator's DATABASE_URL says; the address itself is kept as it is."""
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        user = unquote(parts.username or "")
        return cls(
            host=query.get("host", [unquote(parts.hostname or "")])[0],
            port=int(query.get("port", [str(parts.port or POSTGRES_DEFAULT_PORT)])[0]),
            user=user,
            password=unquote(parts.password or ""),
            database=unquote(parts.path.lstrip("/")) or user,
            dsn=url,
        )

    def with_database(self, database: str) -> DatabaseAccess:
        """The same role and server, another database."""
        parts = urlsplit(self.dsn)
        # urlunsplit would lose the empty host of a socket address.
        dsn = urlunsplit(("", parts.netloc or "@", f"/{quote(database)}", parts.query, parts.fragment))
        return replace(self, database=database, dsn=f"{parts.scheme}:{dsn}")
