"""Pages for people, rendered here and complete in themselves: no network, no library, one script to search."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.openapi import document
from api.routing import JSON, Raw, Route
from campaigns.domain.codes import CODES

HTML = "text/html; charset=utf-8"
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@lru_cache(maxsize=8)
def docs_page(routes: tuple[Route, ...], language: str) -> bytes:
    """The API's page in ``zh`` or ``en``."""
    found = document(routes)
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_shown(found, path, method, operation))
    page = _templates.get_template("docs.html.j2").render(
        language=language, groups=sorted(groups.items()), info=found["info"], codes=CODES
    )
    return page.encode()


def code_page(facts: Mapping[str, object], as_html: bool) -> Raw:
    """What a code means, as a page or as JSON."""
    if not as_html:
        return Raw(msgspec.json.encode(facts), JSON)
    return Raw(_templates.get_template("code.html.j2").render(facts).encode(), HTML)


def _shown(found: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        found["components"]["parameters"][parameter["$ref"].rsplit("/", 1)[1]]
        if "$ref" in parameter
        else parameter
        for parameter in operation["parameters"]
    ]
    body = operation.get("requestBody")
    answers = {status: _response(found, answer) for status, answer in operation["responses"].items()}
    status = next(iter(answers))
    return {
        "path": path,
        "method": method.upper(),
        "id": operation["operationId"],
        "summary": operation["summary"],
        "policy": operation["description"],
        "parameters": [
            _parameter(found, parameter) for parameter in parameters if parameter["name"] != "Accept-Language"
        ],
        "body": _pretty(found, body["content"]) if body else None,
        "status": status,
        "answer": _pretty(found, answers[status]["content"]),
        "problems": {
            status: [word.strip("`") for word in answer["description"].split(", ")]
            for status, answer in answers.items()
            if int(status) >= 400 and answer["description"]
        },
    }


def _parameter(found: dict[str, Any], parameter: dict[str, Any]) -> dict[str, Any]:
    schema = parameter["schema"]
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "type": _type(found, schema),
        "default": _written(schema.get("default")),
        "required": parameter.get("required", False),
        "note": parameter.get("description") or schema.get("description", ""),
    }


def _written(default: object) -> str:
    """As it is written in an address."""
    return "" if default is None else str(default).lower() if isinstance(default, bool) else str(default)


def _pretty(found: dict[str, Any], content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Members of the object in ``content``: name, type, whether required, description.

    One level deep, and one more into the rows of an array.
    """
    rows = []
    for row, member in _members(found, next(iter(content.values()))["schema"], ""):
        rows.append(row)
        if "items" in member:
            rows += [inner for inner, _ in _members(found, member["items"], f"{row['name']}[].")]
    return rows


def _members(
    found: dict[str, Any], schema: dict[str, Any], prefix: str
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    target = _resolve(found, schema)
    required = target.get("required", [])
    for name, member in target.get("properties", {}).items():
        row = {
            "name": f"{prefix}{name}",
            "type": _type(found, member),
            "required": name in required,
            "note": _resolve(found, member).get("description", ""),
        }
        yield row, member


def _resolve(found: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if not reference:
        return schema
    target = found["components"]["schemas"][reference.rsplit("/", 1)[1]]
    assert isinstance(target, dict)
    return target


def _response(found: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    reference = answer.get("$ref")
    whole = found["components"]["responses"][reference.rsplit("/", 1)[1]] if reference else answer
    assert isinstance(whole, dict)
    return whole


def _type(found: dict[str, Any], schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " | ".join(_type(found, option) for option in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(option) for option in schema["enum"])
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    kind = str(schema.get("format") or schema.get("type", "any"))
    if kind == "array":
        return f"{_type(found, schema.get('items', {}) or {})}[]"
    limits = [
        f"≥ {schema['minimum']}" if "minimum" in schema else "",
        f"≤ {schema['maximum']}" if "maximum" in schema else "",
    ]
    return " ".join(filter(None, [kind, *limits]))
