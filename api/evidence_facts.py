"""Which facts of a file of evidence its seals prove, and which are only its maker's word, in zh and en."""

from typing import Final

from api.report.texts import Language
from campaigns.domain.evidence import Evidence
from campaigns.domain.evidence_state import Said, said_only

TITLES: Final = (
    ("已封存（封存值属实即属实）：", "Sealed, and as true as the head:"),
    ("仅为制作方所述，封存不能证明：", "Only its maker's word, which no seal proves:"),
)
SEALED: Final = (
    (
        "付款：顾客、商户、门店、终端、付款码的编号，订单金额、商品明细、渠道与位置、补贴、授权时间、预授权期限",
        "the payment: ids of person, merchant, store, till and code; basket, items, channel and position, subsidy, time of"
        " authorization, and until when it held",
    ),
    (
        "付款各行：券、活动、规则版本、可用券金额、最多可给、补贴",
        "its lines: voucher, campaign, version of terms, eligible part, most it could give, subsidy",
    ),
    (
        "券：持有人、活动、面额、起止时间、发放",
        "the vouchers: whose, of which campaign, face value, from when until when, grant",
    ),
    (
        "文件中每条分录：金额、账户、时间",
        "each transfer in the file: amount, accounts, time",
    ),
    (
        "文件中每笔有资金划转的退款和撤回：商品金额、退回补贴、时间",
        "each refund and undo in the file that moved value: goods, subsidy given back, time",
    ),
    (
        "文件中每条操作记录，其中有规则的审批",
        "each act in the file, the approval of the terms among them",
    ),
    (
        "规则原文、条款文字（地名除外）、活动编号、时区：由经审批的摘要得出",
        "the terms, the contract in words (but for names of places), codes of the campaigns, time zone: they follow from the"
        " approved digest",
    ),
    (
        "由上列分录和退款得出的现状：各行占用、实扣、退回的补贴，扣款、撤销、到期、撤回的时间",
        "the state that follows from these transfers and refunds: what each line holds, was captured and gave back; time of"
        " capture, void, end of the hold, undo",
    ),
)
SAID: Final[dict[Said, tuple[str, str]]] = {
    "store": (
        "商户与门店：商户编码、名称、门店名称、地点、专区、标签、行业代码、场景（制作时的登记信息）",
        "merchant and store: code, names, place, zones, tags, MCC, scenario (as on record when the file was made)",
    ),
    "place_names": ("条款文字中的地名（地区编码已封存）", "names of places in the contract (their codes are sealed)"),
    "made": (
        "制作人、制作时间、试点编号、未列入的操作记录条数",
        "who made the file and when, the programme's code, how many acts were left out",
    ),
    "complete": (
        "内容完整：没有漏列、其后也没有别的分录、退款或操作记录，因而现状为最新",
        "that it is complete: no transfer, refund or act was left out or came later, so that the state is the last one",
    ),
    "captured_basket": (
        "实扣订单金额（仅核对与实扣补贴不矛盾）",
        "the captured basket (it was only checked that the captured subsidy can follow from it)",
    ),
    "gone_items": (
        "已退出订单的指定类别商品（仅核对不超出原明细）",
        "which named goods left the basket (it was only checked that they were in it)",
    ),
    "returned_goods": (
        "未划转资金的退款及其商品金额，因而退货总额（仅核对与已封存的退款不矛盾）",
        "refunds that moved nothing and their goods, and so all goods returned (it was only checked that the sealed refunds"
        " can follow)",
    ),
    "undo": ("是否已整单撤回、何时撤回", "whether it was undone, and when"),
}  # fmt: skip


def facts_told(evidence: Evidence, language: Language) -> list[tuple[str, list[str]]]:
    """Two titles with their facts, of a file without a problem: what is sealed, and what its maker says."""
    english = language == "en"
    said = [SAID[name][english] for name in said_only(evidence)]
    return [(TITLES[0][english], [pair[english] for pair in SEALED]), (TITLES[1][english], said)]
