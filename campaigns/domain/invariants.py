"""What must always hold, numbered as in docs/invariants.md, in a sentence each for people."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Invariant(NamedTuple):
    """One promise, in zh and en."""

    zh: str
    en: str


INVARIANTS: Final[Mapping[int, Invariant]] = {
    1: Invariant(
        "每档发放数与有效中签数之和不超过份额数，发放金额不超过到账资金",
        "Grants and live awards never exceed a tier's allotments, nor granted value the money funded",
    ),
    2: Invariant("凡已答复的发放、扣款、退款都存在，归属、金额、编号不变", "Every acknowledged grant, capture and refund exists, unchanged"),
    3: Invariant("同一人在同一活动的同一轮次内不超过规定份数", "Nobody holds more in one issue window than the definition says"),
    4: Invariant("每张券各部分之和等于面额，且都不为负", "The parts of each voucher add up to its face value, none below zero"),
    5: Invariant("各运营机构名下的账户余额与券、冻结、份额逐项相符", "Each custody operator's accounts agree with vouchers, holds and allotments"),
    6: Invariant("每个活动到账资金等于各处资金之和", "Money funded equals the sum of where it lies, for each campaign"),
    7: Invariant("同一请求只生效一次，答复始终相同", "One request takes effect once and is always answered alike"),
    8: Invariant("任何人重算已公布的抽签都得到同样结果，且承诺先于种子", "Anyone re-runs a published draw to the same winners; the commitment is older than the seed"),
    9: Invariant("改动或删除的账目、操作记录与券的固定内容，下次校验封条时即被发现", "An edited or deleted transfer, act or fixed part of a voucher is found by the next look at the seals"),
    11: Invariant("任何答复都不含他人的资料", "No answer contains another person's data"),
    12: Invariant("内部事件只生效一次，对外至少一次且编号不变", "An event takes effect once inside, at least once outside under a stable id"),
    13: Invariant("故障消除后服务自行恢复，冻结不超时", "When faults stop, service recovers by itself and no hold outlives its time"),
    14: Invariant("每项决定都带有作出的时间，且在允许的时间之内", "Every decision carries its time, and the time was allowed"),
    15: Invariant("限额计数与其所计的付款逐项相符", "Every usage counter says what the payments it counts come to"),
}  # fmt: skip
