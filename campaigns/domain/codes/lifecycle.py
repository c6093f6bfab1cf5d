"""Codes of a campaign's life: definition, money, approval, publication, merchants, people."""

from campaigns.domain.codes.model import Code

CODES: dict[str, Code] = {
    "wrong_state": Code("refused", 409, "当前状态“{state}”下不能执行“{verb}”。", "This cannot '{verb}' while it is '{state}'."),
    "rush_not_available": Code("refused", 409, "抢领方式尚未开放，不能发布。", "Rush campaigns cannot be published yet: use a draw or a list."),
}  # fmt: skip
