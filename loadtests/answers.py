"""Reading HTTP/1.1 answers as they come off a socket: a status and a body by Content-Length, nothing else."""

from __future__ import annotations

_LENGTH = b"content-length:"
_HEAD_END = b"\r\n\r\n"
HEAD_BYTES_MAX = 16_384
BODY_BYTES_MAX = 4_000_000


class NotUnderstood(Exception):
    """The bytes are no answer of the kind our servers give."""


class Answer:
    """One connection's answer under way. `feed` it until it says True; then `status` and `body` stand."""

    __slots__ = ("_data", "_end", "_head_end", "status")

    def __init__(self) -> None:
        self.status = 0
        self._data = b""
        self._end = 0
        self._head_end = 0

    def feed(self, part: bytes) -> bool:
        """Take in what was received; True when the answer is whole. Raises NotUnderstood."""
        data = self._data = self._data + part if self._data else part
        if self._end == 0:
            head_end = data.find(_HEAD_END)
            if head_end < 0:
                if len(data) > HEAD_BYTES_MAX:
                    raise NotUnderstood("an endless head")
                return False
            self._begin(data, head_end)
        if len(data) > self._end:
            raise NotUnderstood("more bytes than the answer has")
        return len(data) == self._end

    def _begin(self, data: bytes, head_end: int) -> None:
        if data[:9] != b"HTTP/1.1 " or not data[9:12].isdigit():
            raise NotUnderstood(repr(data[:40]))
        head = data[: head_end + 2].lower()
        at = head.find(b"\r\n" + _LENGTH)
        if at < 0:
            raise NotUnderstood("no Content-Length")
        text = head[at + 2 + len(_LENGTH) : head.index(b"\r\n", at + 2)].strip()
        if not text.isdigit() or int(text) > BODY_BYTES_MAX:
            raise NotUnderstood(repr(text))
        self.status = int(data[9:12])
        self._head_end = head_end + len(_HEAD_END)
        self._end = self._head_end + int(text)

    @property
    def body(self) -> bytes:
        """The body of a whole answer."""
        return self._data[self._head_end : self._end]

    def clear(self) -> None:
        """Be ready for the next answer on this connection."""
        self.status = self._end = self._head_end = 0
        self._data = b""
