"""How a file of evidence is told to people, in zh and en: what the payment was, and what the check found."""

from zoneinfo import ZoneInfo

from api.report.texts import Language
from campaigns.domain.codes.words import said
from campaigns.domain.errors import Invalid
from campaigns.domain.evidence import Evidence, EvidenceError, Row, rows_of
from campaigns.domain.evidence_check import EvidenceCheck
from campaigns.domain.evidence_lines import lines_of
from campaigns.domain.money import format_yuan
from campaigns.domain.windows import local_text, zone_of

_WORDS = {
    "payment": ("付款", "Payment"),
    "store": ("门店（现登记信息）", "Store (as on record now)"),
    "at": ("授权时间", "Authorized at"),
    "basket": ("订单金额", "Basket"),
    "subsidy": ("补贴", "Subsidy"),
    "own": ("自付", "Own money"),
    "state": ("状态", "State"),
    "captured": ("实扣补贴", "Captured"),
    "returned": ("已退补贴", "Given back"),
    "line": ("券", "Voucher"),
    "moved": ("账目", "Transfer"),
    "terms": ("规则摘要", "Terms, SHA-256"),
    "place": ("规则中的地名", "Place in the terms"),
    "made": ("制作", "Made"),
}


def told(evidence: Evidence, language: Language) -> list[tuple[str, str]]:
    """The payment in pairs of label and value: money as ¥1,234.50, times in the campaign's zone.

    Raises EvidenceError where the rows cannot be read.
    """
    payments = rows_of(evidence, "payment")
    if not payments:
        raise EvidenceError("there is no payment")
    payment, state, zone = payments[0], evidence.state, _zone(evidence)
    basket_fen, subsidy_fen = payment.fen("basket_fen"), payment.fen("subsidy_fen")
    pairs = [
        ("payment", str(evidence.about.payment_id)),
        ("state", said("state", state.state, language)),
        ("store", f"{evidence.store.merchant_name}, {evidence.store.store_name}"),
        ("at", local_text(payment.at("authorized_at"), zone)),
        ("basket", format_yuan(basket_fen)),
        ("subsidy", format_yuan(subsidy_fen)),
        ("own", format_yuan(basket_fen - subsidy_fen)),
        ("captured", format_yuan(state.captured_fen)),
        ("returned", format_yuan(state.refunded_fen)),
    ]
    for line in lines_of(payment):
        campaign = evidence.about.campaigns.get(str(line.campaign_id), str(line.campaign_id))
        pairs.append(("line", f"{campaign}  {line.voucher_id}  {format_yuan(line.authorized_fen)}"))
    pairs += [("moved", _transfer(row, zone)) for row in rows_of(evidence, "transfer")]
    pairs += [("terms", part.digest) for part in evidence.terms]
    for part in evidence.terms:
        pairs += [("place", f"{code} = {name.zh}, {name.en}") for code, name in part.place_names.items()]
    pairs.append(("made", f"{local_text(evidence.about.made_at, zone)}  {evidence.about.made_by}"))
    return [(_WORDS[name][language == "en"], value) for name, value in pairs]


def _transfer(row: Row, zone: ZoneInfo) -> str:
    debit, credit = row.account("debit")[0], row.account("credit")[0]
    moved = f"{row.text('kind')}: {debit} -> {credit} {format_yuan(row.fen('amount_fen'))}"
    return f"{local_text(row.at('at'), zone)}  {moved}"


def _zone(evidence: Evidence) -> ZoneInfo:
    try:
        return zone_of(evidence.about.time_zone)
    except Invalid:
        raise EvidenceError(f"no time zone {evidence.about.time_zone}") from None


def verdict(check: EvidenceCheck, compared: bool, language: Language) -> str:
    """One sentence on the outcome, and with what to compare the head."""
    zh = language == "zh"
    if check.problems:
        return _failed(check)[0 if zh else 1]
    if compared:
        return (
            "校验通过：上列已封存的事实与给出的封存值一致；其余仅为制作方所述。"
            if zh
            else "Sound: the sealed facts listed lie under the head that was given. The others are only its maker's word."
        )
    return (
        "校验通过。请将封存值与办公室公布的对照：伪造已封存事实的人只能得到另一个值；其余仅为制作方所述。"
        if zh
        else "Sound. Compare the head with the published one: who forges sealed facts ends at another. The other facts "
        "listed are only its maker's word."
    )


def _failed(check: EvidenceCheck) -> tuple[str, str]:
    """What a failed check means and what to do next, in zh and en."""
    if check.evidence is None:
        return (
            "校验不通过：这不是完整的证据文件。请向制作方索取原文件。",
            "Not sound: this is not a whole file of evidence. Ask whoever made it for the original.",
        )
    if {problem.subject for problem in check.problems} == {"head"}:
        return (
            f"校验不通过：文件前后一致，但最新区块的封存值与给出的不同。请查对公布的区块 {check.block} 的封存值；"
            "若给出的正是它，则文件系伪造，或账目已被重写。",
            f"Not sound: the file agrees with itself, but ends in another head than was given. Look up the published "
            f"head of block {check.block}; if that is the one given, the file is false or the books were rewritten.",
        )
    count = len(check.problems)
    return (
        f"校验不通过：{count} 处不符，该文件不能作为证据。请向制作方索取原文件，或请审计人员重新制作。",
        f"Not sound: {count} finding{'s' * (count != 1)}, it proves nothing. Ask for the original file, or an auditor "
        "for a new one.",
    )
