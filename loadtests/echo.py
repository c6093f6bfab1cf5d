"""Bare Sanic: the request's body comes back under as many headers as a payment's answer has. The measure of all."""

from __future__ import annotations

import argparse
from typing import Any

from sanic import Request, Sanic
from sanic.response import HTTPResponse

from loadtests.serving import make_app, serve

_HEADERS = {"Request-Id": "0" * 32, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


async def echo(request: Request) -> HTTPResponse:
    """The body again, status 201."""
    return HTTPResponse(request.body, 201, _HEADERS, "application/json")


def make(arguments: argparse.Namespace) -> Sanic[Any, Any]:
    """The application."""
    app = make_app("echo")
    app.add_route(echo, "/v1/redemptions", methods=["POST"])
    return app


if __name__ == "__main__":
    serve(make, argparse.ArgumentParser(prog="python -m loadtests.echo", description=__doc__))
