"""Words for the values that sentences name: states, verbs, kinds, in zh and en. A value without a word is shown as it is.

English keeps the names that commands and answers use, so that who reads one finds it again there.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Word(NamedTuple):
    """How a value is said."""

    zh: str
    en: str


def _words(**zh: str) -> dict[str, Word]:
    return {value: Word(text, value.replace("_", " ")) for value, text in zh.items()}


_STATES = _words(
    draft="草稿", submitted="待审批", approved="已审批", published="已发布", paused="已暂停", suspended="已停用",
    closed="已关闭", open="报名中", frozen="名单已公布", drawn="已抽签", awarded="已发奖", live="有效", granted="已领取",
    lapsed="逾期未领", declined="已放弃", held="预授权中", captured="已扣款", voided="已撤销", expired="已到期",
    undone="已撤回",
)  # fmt: skip
_VERBS = _words(
    revise="修改", submit="提交审批", withdraw="撤回", approve="审批", publish="发布", pause="暂停", resume="恢复",
    close="关闭", fund="入账", issue="按名单发放", change_terms="修改规则", freeze="截止报名并公布名单",
    receive_source="登记随机源", draw="抽签", award="发奖", capture="扣款", void="撤销预授权", refund="退款", undo="整单撤回",
)  # fmt: skip
_KINDS = _words(
    phone="手机号", id_number="身份证号", social_card="社会保障卡号", channel="渠道", terminal="终端", merchant="商户",
    operator="运营机构", staff="工作人员", auditor="审计",
)  # fmt: skip
_SOURCES = _words(office="单位密钥", notary="公证号码", ssq="双色球", drand="公共信标", rehearsal="演练信标")
_SUBJECTS = _words(
    award="中签资格", campaign="活动", code="错误编码", draw="抽签", entry="报名", file="文件", key="访问密钥",
    merchant="商户", payment="付款", person="市民", staff="工作人员", store="门店", terms_change="规则变更", token="凭证",
    unit="单位", voucher="消费券",
)  # fmt: skip

WORDS: Final[Mapping[str, Mapping[str, Word]]] = {
    "state": _STATES,
    "verb": _VERBS,
    "possible": _VERBS,
    "kind": _KINDS,
    "window": _words(registration="报名", acceptance="领取", spending="使用"),
    "source": _SOURCES,
    "sources": _SOURCES,
    "subject": _SUBJECTS,
}


def said(name: str, value: str, language: str) -> str:
    """The value of the fact ``name`` for people; several values stand with ``, `` between them."""
    words = WORDS.get(name)
    if words is None:
        return value
    parts = [words.get(part, Word(part, part)) for part in value.split(", ")]
    if language == "zh":
        return "、".join(part.zh for part in parts)
    return ", ".join(part.en for part in parts)
