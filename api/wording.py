"""What msgspec says of a wrong value, in Chinese too, with the place of the value taken out of the sentence."""

import re
from typing import NamedTuple

MOST_CHARACTERS = 300
_TYPES = {
    "int": "整数",
    "float": "数字",
    "str": "文本",
    "bool": "true 或 false",
    "object": "对象",
    "array": "数组",
    "null": "null",
    "uuid": "UUID",
    "datetime": "带时区的时间",
    "date": "日期",
}
_PLACE = re.compile(r" - at `(?P<path>.*)`$", re.DOTALL)
_PHRASES = (
    (r"Expected `(?P<wanted>[a-z |]+)`, got `(?P<given>[a-z]+)`", "应为{wanted}，实为{given}"),
    (r"Expected `int` >= (?P<least>-?[0-9]+)", "应为不小于 {least} 的整数"),
    (r"Expected `int` <= (?P<most>-?[0-9]+)", "应为不大于 {most} 的整数"),
    (r"Expected `(?:str|array)` of length >= (?P<least>[0-9]+)", "长度至少为 {least}"),
    (r"Expected `(?:str|array)` of length <= (?P<most>[0-9]+)", "长度至多为 {most}"),
    (r"Expected `str` matching regex (?P<pattern>.+)", "须符合格式 {pattern}"),
    (r"Object contains unknown field `(?P<name>.*)`", "不认识成员 {name}"),
    (r"Object missing required field `(?P<name>.*)`", "缺少成员 {name}"),
    (r"Invalid (?:enum )?value (?P<given>.+)", "取值 {given} 不在允许范围内"),
    (
        r"Invalid RFC3339 encoded datetime|Expected `datetime` with a timezone component",
        "应为带时区的 RFC 3339 时间",
    ),
    (r"Invalid RFC3339 encoded date", "应为日期，例如 2026-10-01"),
    (r"Invalid UUID", "应为 UUID"),
    (r"(?:Integer value|Number) out of range", "数字超出范围"),
    (r"not a parameter of this address", "此地址没有这个参数"),
    (r"stands twice", "重复出现"),
    (r"too many parameters", "参数过多"),
    (r"Expected an integer in ASCII digits", "应为以半角数字书写的整数"),
    (r"Expected true or false", "应为 true 或 false"),
    (r"member `(?P<name>.*)` stands twice", "成员 {name} 重复出现"),
)
_COMPILED = tuple((re.compile(pattern, re.DOTALL), zh) for pattern, zh in _PHRASES)


class Explained(NamedTuple):
    """Where a value is wrong (``$`` is the whole body) and how, in both languages."""

    path: str
    detail: str
    detail_zh: str


def explain(message: str) -> Explained:
    """Take a message apart; one we have no Chinese for stays as it is."""
    place = _PLACE.search(message)
    path = place["path"] if place else "$"
    reason = message[: place.start()] if place else message
    chinese = reason
    for pattern, zh in _COMPILED:
        found = pattern.fullmatch(reason)
        if found:
            chinese = zh.format_map({name: _word(name, text) for name, text in found.groupdict().items()})
            break
    return Explained(shorten(path), shorten(reason), shorten(chinese))


def _word(name: str, text: str) -> str:
    if name in ("wanted", "given"):
        return "或".join(_TYPES.get(part, part) for part in text.split(" | "))
    return text


def shorten(text: str) -> str:
    """At most MOST_CHARACTERS that can be encoded."""
    clean = text.encode("utf-8", "replace").decode()
    return clean if len(clean) <= MOST_CHARACTERS else clean[: MOST_CHARACTERS - 1] + "…"
