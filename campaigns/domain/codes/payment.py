"""Codes of paying, beyond those of `decide`. ``public=False`` tells about the holder and is not for the till."""

from campaigns.domain.codes.model import Code

CODES: dict[str, Code] = {
    "code_unknown": Code("refused", 404, "付款码无效或已过期，请刷新后重新出示。", "This payment code is not valid or has expired: ask for a fresh one."),
    "code_already_used": Code("refused", 409, "该付款码已使用，请刷新后重新出示。", "This payment code was used already: ask for a fresh one."),
    "not_usable_here": Code("refused", 409, "顾客当前没有可用于本次消费的消费券，原因可由其本人在手机上查看。", "The customer has no voucher for this purchase; the reason is shown on their own phone."),
    "no_voucher": Code("refused", 409, "您目前没有可用的消费券。", "You have no voucher that can be spent now.", public=False),
    "campaign_not_open": Code("refused", 409, "活动当前不可用（状态：{state}）。", "The campaign is not open for payments (state: {state})."),
    "store_not_active": Code("refused", 409, "本门店或终端已停用，请联系活动办公室。", "This store or terminal is switched off: ask the programme office."),
    "store_code_unknown": Code("refused", 404, "收款码无效，请扫描柜台上的收款码。", "This store code is not valid: scan the one at the counter."),
    "nothing_announced": Code("refused", 409, "门店尚未报出金额或报价已失效，请商户重新输入金额。", "The shop has announced no amount, or it lapsed: ask the shop to enter it again."),
    "above_announced": Code("refused", 409, "金额超过商户报出的 {announced_fen}。", "That is more than the {announced_fen} the shop announced."),
    "hold_expired": Code("refused", 410, "预授权已于 {ended} 到期，消费券金额已退回。", "The hold ended at {ended} and its value went back: authorize again."),
    "capture_too_large": Code("refused", 409, "扣款订单金额不得超过预授权时的 {basket_fen}。", "A capture is for at most the {basket_fen} that were authorized."),
    "refund_too_large": Code("refused", 409, "退货金额超过可退的 {left_fen}。", "Only goods for {left_fen} are left to return."),
    "refund_over": Code("refused", 410, "退款期限已过。", "The time for refunds of this campaign is over."),
    "undo_over": Code("refused", 410, "撤回期限（{undo_seconds} 秒）已过，请办理退款。", "The time to undo ({undo_seconds} seconds) is over: make a refund instead."),
    "items_invalid": Code("refused", 409, "退回的商品明细与原订单不符。", "The goods named do not fit the original basket."),
    "not_sealed_yet": Code("try_again", 503, "该笔付款尚未封存，请稍后重试。", "This payment is not sealed yet: try again in a few seconds."),
    "seal_violated": Code("broken", 500, "{row} 与第 {block} 号封存区块不符，请运行 hongbao audit。", "{row} is not as block {block} sealed it: run `hongbao audit`."),
    "clock_not_adjustable": Code("refused", 409, "仅演示或测试模式可调整活动时钟，且只能前进。", "The campaign clock moves in demo and test mode only, and only forward."),
    "clock_in_use": Code("refused", 409, "尚有未结束的预授权或付款码，暂不能调整时钟。", "A hold or a payment code is open: the clock cannot move now."),
}  # fmt: skip
