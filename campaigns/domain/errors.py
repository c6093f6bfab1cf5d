"""The five kinds of error a caller can meet. Each carries a stable code of `campaigns.domain.codes` and typed facts."""

from collections.abc import Mapping

Fact = str | int | bool | None
Facts = Mapping[str, Fact]


class HongbaoError(Exception):
    """A typed error: ``code`` is stable, ``facts`` fill the code's sentence, ``status`` is the HTTP status."""

    default_status = 500

    def __init__(self, code: str, *, status: int | None = None, **facts: Fact) -> None:
        super().__init__(code)
        self.code = code
        self.status = status or self.default_status
        self.facts: dict[str, Fact] = dict(facts)

    def __str__(self) -> str:
        return f"{self.code} {self.facts}" if self.facts else self.code


class Refused(HongbaoError):
    """The rules say no (409; 404 for unknown or foreign subjects; 410 for what is over). Stored under its key."""

    default_status = 409


class Denied(HongbaoError):
    """The caller may not do this (401 without a valid key, 403 otherwise). Judged before anything is stored."""

    default_status = 403


class Invalid(HongbaoError):
    """The request cannot be understood (400 malformed, 422 wrong value). Nothing is stored."""

    default_status = 422


class TryAgain(HongbaoError):
    """Nothing happened; the same request may succeed after ``retry_after_seconds`` (429, 503)."""

    default_status = 503

    def __init__(
        self, code: str, *, status: int | None = None, retry_after_seconds: int = 1, **facts: Fact
    ) -> None:
        super().__init__(code, status=status, **facts)
        self.retry_after_seconds = retry_after_seconds


class Broken(HongbaoError):
    """An invariant does not hold (500). The campaign suspends itself; people look before it goes on."""

    default_status = 500


def not_found(subject: str) -> Refused:
    """The one answer for unknown and foreign subjects alike, so that nobody learns which exist."""
    return Refused("not_found", status=404, subject=subject)
