"""Wrong values are explained in both languages, with their place."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
import pytest

from api.bodies import parse_json
from api.wording import MOST_CHARACTERS
from campaigns.domain.codes import sentence
from campaigns.domain.errors import Invalid
from campaigns.services.fields import AmountFen, Code, Moment


class Thing(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    code: Code = "a"
    amount_fen: AmountFen = 1
    count: int | None = None
    at: Moment | None = None
    day: date | None = None
    id: UUID | None = None
    kind: Literal["a", "b"] = "a"
    things: Annotated[tuple["Thing", ...], msgspec.Meta(max_length=2)] = ()


@pytest.mark.parametrize(
    ("body", "path", "chinese"),
    [
        ('{"amount_fen":"5"}', "$.amount_fen", "应为整数，实为文本"),
        ('{"amount_fen":0}', "$.amount_fen", "应为不小于 1 的整数"),
        ('{"amount_fen":100000001}', "$.amount_fen", "应为不大于 100000000 的整数"),
        ('{"count":"5"}', "$.count", "应为整数或null，实为文本"),
        ('{"count":1e400}', "$.count", "数字超出范围"),
        ('{"code":""}', "$.code", "长度至少为 1"),
        ('{"code":"A"}', "$.code", "须符合格式 "),
        ('{"colour":1}', "$", "不认识成员 colour"),
        ('{"at":"x"}', "$.at", "应为带时区的 RFC 3339 时间"),
        ('{"at":"2026-10-01T00:00:00"}', "$.at", "应为带时区的 RFC 3339 时间"),
        ('{"day":"2026-02-30"}', "$.day", "应为日期"),
        ('{"id":"x"}', "$.id", "应为 UUID"),
        ('{"kind":"c"}', "$.kind", "取值 'c' 不在允许范围内"),
        ('{"things":[{"amount_fen":0}]}', "$.things[0].amount_fen", "应为不小于 1 的整数"),
        ('{"things":[{},{},{}]}', "$.things", "长度至多为 2"),
        ('{"kind":"a","kind":"a"}', "$", "成员 kind 重复出现"),
        ("[]", "$", "应为对象，实为数组"),
    ],
)
def test_a_wrong_value_is_explained(body: str, path: str, chinese: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_json(body.encode(), Thing)
    facts = caught.value.facts
    assert facts["path"] == path
    assert str(facts["detail_zh"]).startswith(chinese)
    for language, detail in (("zh", facts["detail_zh"]), ("en", facts["detail"])):
        spoken = sentence("body_invalid", facts, language)
        assert path in spoken and str(detail) in spoken


def test_a_long_name_is_cut() -> None:
    with pytest.raises(Invalid) as caught:
        parse_json(b'{"%s":1}' % (b"x" * 10_000), Thing)
    assert all(len(str(fact)) <= MOST_CHARACTERS for fact in caught.value.facts.values())
