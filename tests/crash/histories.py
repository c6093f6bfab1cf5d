"""Small sound histories with their end in the database, for tests of the checker: each is then spoiled in one place."""

import json
from typing import Any

from tests.crash.final import Final, Line, Payment, Refund
from tests.crash.history import CAPTURE, HOLD, LOOK, REDEEM, REFUND, UNDO, VOID, Asked, Event, Told

PERSON, TERMINAL, MERCHANT, CAMPAIGN = "person", "terminal", "merchant", "campaign"
BASKET_FEN, SUBSIDY_FEN = 1_000, 800
REDEEMED, HELD, VOIDED, UNDONE = "redeemed", "held-captured", "held-voided", "undone"
BASKETS = {REDEEMED: 1_000, HELD: 1_001, VOIDED: 1_002, UNDONE: 1_003}
REFUND_ID, REFUND_GOODS_FEN, REFUND_BACK_FEN = "refund-1", 300, 250


class Story:
    """Events as they are told; time goes on by a second with each."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._at = 0.0

    def ask(self, op: int, kind: str, payment: str = "", amount_fen: int = 0, attempt: int = 1) -> None:
        """A request leaves."""
        self._at += 1
        self.events.append(
            Asked(op=op, attempt=attempt, kind=kind, key=f"key-{op}", person=PERSON, terminal=TERMINAL,
                  payment=payment, amount_fen=amount_fen, at=self._at)
        )  # fmt: skip

    def tell(self, op: int, status: int, body: dict[str, Any], attempt: int = 1) -> None:
        """Its answer comes."""
        self._at += 1
        self.events.append(Told(op=op, attempt=attempt, status=status, body=json.dumps(body), at=self._at))

    def done(self, op: int, kind: str, body: dict[str, Any], payment: str = "", amount_fen: int = 0) -> None:
        """Asked and answered with success."""
        self.ask(op, kind, payment, amount_fen)
        self.tell(op, 200, body)


def sound_story() -> Story:
    """A redemption refunded in part, a hold captured, one voided, a redemption undone, and a look."""
    story = Story()
    story.done(1, REDEEM, _paid(REDEEMED, SUBSIDY_FEN), amount_fen=BASKETS[REDEEMED])
    story.done(2, REFUND, _back(REFUND_ID, REFUND_GOODS_FEN, REFUND_BACK_FEN), REDEEMED, REFUND_GOODS_FEN)
    story.done(3, HOLD, _paid(HELD, 0), amount_fen=BASKETS[HELD])
    story.done(4, CAPTURE, _paid(HELD, SUBSIDY_FEN), HELD)
    story.done(5, HOLD, _paid(VOIDED, 0), amount_fen=BASKETS[VOIDED])
    story.done(6, VOID, _paid(VOIDED, 0), VOIDED)
    story.done(7, REDEEM, _paid(UNDONE, SUBSIDY_FEN), amount_fen=BASKETS[UNDONE])
    story.done(8, UNDO, _back("undo-1", BASKETS[UNDONE], SUBSIDY_FEN), UNDONE)
    story.done(9, LOOK, {"state": "captured", "refunded_fen": REFUND_BACK_FEN}, REDEEMED)
    return story


def sound_final() -> Final:
    """What the database holds after it."""
    final = Final(now=100.0)
    final.payments = {
        REDEEMED: payment(REDEEMED, "captured", returned=REFUND_GOODS_FEN, refunded=REFUND_BACK_FEN),
        HELD: payment(HELD, "captured"),
        VOIDED: payment(VOIDED, "voided", captured=0),
        UNDONE: payment(UNDONE, "undone", returned=BASKETS[UNDONE], refunded=SUBSIDY_FEN),
    }
    final.refunds = {
        REFUND_ID: Refund(id=REFUND_ID, payment=REDEEMED, kind="refund", goods_fen=REFUND_GOODS_FEN, back_fen=REFUND_BACK_FEN),
        "undo-1": Refund(id="undo-1", payment=UNDONE, kind="undo", goods_fen=BASKETS[UNDONE], back_fen=SUBSIDY_FEN),
    }  # fmt: skip
    final.moved_fen = {
        (REDEEMED, "redeem"): SUBSIDY_FEN, (REFUND_ID, "refund"): REFUND_BACK_FEN,
        (HELD, "authorize"): SUBSIDY_FEN, (HELD, "capture"): SUBSIDY_FEN,
        (VOIDED, "authorize"): SUBSIDY_FEN, (VOIDED, "void"): SUBSIDY_FEN,
        (UNDONE, "redeem"): SUBSIDY_FEN, ("undo-1", "undo"): SUBSIDY_FEN,
        ("grant-1", "grant"): 60_000,
    }  # fmt: skip
    return final


def payment(
    id: str, state: str, *, captured: int = SUBSIDY_FEN, returned: int = 0, refunded: int = 0, basket: int = 0
) -> Payment:
    """A payment of the story; captured whole unless ``captured`` is 0."""
    basket_fen = basket or BASKETS[id]
    return Payment(
        id=id, person=PERSON, terminal=TERMINAL, merchant=MERCHANT, state=state, basket_fen=basket_fen,
        subsidy_fen=SUBSIDY_FEN, captured_basket_fen=basket_fen if captured else None, captured_fen=captured,
        returned_goods_fen=returned, refunded_fen=refunded, wished=False, hold_until=50.0, day="2026-11-18",
        lines=(Line(campaign=CAMPAIGN, authorized_fen=SUBSIDY_FEN, captured_fen=captured, refunded_fen=refunded),),
    )  # fmt: skip


def _paid(id: str, captured_fen: int) -> dict[str, Any]:
    basket = BASKETS[id] if captured_fen else None
    return {"id": id, "subsidy_fen": SUBSIDY_FEN, "captured_fen": captured_fen, "captured_basket_fen": basket}


def _back(id: str, goods_fen: int, back_fen: int) -> dict[str, Any]:
    return {"id": id, "returned_goods_fen": goods_fen, "back_fen": back_fen}
