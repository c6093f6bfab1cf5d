"""What Sanic leaves out when it reads a request: an address it cannot use is still answered, and one without a path is /.

A length is of ASCII digits.
"""

from sanic.http.http1 import Http
from sanic.request import Request
from sanic.server.protocols.http_protocol import HttpProtocol


class ApiRequest(Request):
    """A request whose address may have no path, as in ``GET http://host HTTP/1.1`` (RFC 9112, section 3.2.2)."""

    __slots__ = ()

    @property
    def path(self) -> str:
        found = self._parsed_url.path
        return found.decode("utf-8") if found else "/"


class ApiHttp(Http):
    """The reader of one connection. Sanic makes a stand-in for a request it could not read, from the same bad address."""

    __slots__ = ()

    @staticmethod
    def _safe_int(value: str, base: int = 10) -> int:
        if not value.isascii():  # int() takes digits of every script, and a proxy in front of us would not
            raise ValueError("not ASCII")
        return Http._safe_int(value, base)

    def create_empty_request(self) -> None:
        self.url = None
        super().create_empty_request()


class ApiProtocol(HttpProtocol):
    """A connection."""

    __slots__ = ()

    HTTP_CLASS = ApiHttp
