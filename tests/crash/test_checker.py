"""A checker that cannot fail is a defect: it is fed a sound history, and then one bad one for each promise."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.crash import violations as v
from tests.crash.check_sums import CapOf
from tests.crash.checker import check
from tests.crash.final import Final, Refund
from tests.crash.histories import (
    BASKETS,
    CAMPAIGN,
    HELD,
    MERCHANT,
    REDEEMED,
    REFUND_GOODS_FEN,
    REFUND_ID,
    SUBSIDY_FEN,
    UNDONE,
    VOIDED,
    Story,
    payment,
    sound_final,
    sound_story,
)
from tests.crash.history import (
    CAPTURE,
    LOOK,
    NOTHING,
    OK,
    REDEEM,
    REFUND,
    REFUSED,
    UNKNOWN,
    VOID,
    WISH,
    History,
    Lost,
    operations,
    read_history,
)

Spoil = Callable[[Story, Final], None]


def _names(story: Story, final: Final, caps: tuple[CapOf, ...] = ()) -> set[str]:
    return {violation.name for violation in check(story.events, final, caps)}


def test_a_sound_history_passes() -> None:
    assert check(sound_story().events, sound_final()) == []


def _lose_payment(story: Story, final: Final) -> None:
    del final.payments[REDEEMED], final.refunds[REFUND_ID]
    del final.moved_fen[REDEEMED, "redeem"], final.moved_fen[REFUND_ID, "refund"]


def _lose_refund(story: Story, final: Final) -> None:
    del final.refunds[REFUND_ID], final.moved_fen[REFUND_ID, "refund"]
    final.payments[REDEEMED] = payment(REDEEMED, "captured")


def _lose_capture(story: Story, final: Final) -> None:
    final.payments[HELD] = payment(HELD, "held", captured=0)
    del final.moved_fen[HELD, "capture"]


def _lose_void(story: Story, final: Final) -> None:
    final.payments[VOIDED] = payment(VOIDED, "held", captured=0)
    del final.moved_fen[VOIDED, "void"]


def _lose_undo(story: Story, final: Final) -> None:
    del final.refunds["undo-1"], final.moved_fen["undo-1", "undo"]
    final.payments[UNDONE] = payment(UNDONE, "captured")


def _lose_wish(story: Story, final: Final) -> None:
    story.done(20, WISH, {"id": HELD}, HELD)


def _pay_twice(story: Story, final: Final) -> None:
    final.payments["again"] = replace(payment(REDEEMED, "captured"), id="again")
    final.moved_fen["again", "redeem"] = SUBSIDY_FEN


def _refund_twice(story: Story, final: Final) -> None:
    final.refunds["again"] = replace(final.refunds[REFUND_ID], id="again")
    final.moved_fen["again", "refund"] = final.refunds[REFUND_ID].back_fen


def _undo_twice(story: Story, final: Final) -> None:
    final.refunds["again"] = replace(final.refunds["undo-1"], id="again")
    final.moved_fen["again", "undo"] = SUBSIDY_FEN


def _capture_twice(story: Story, final: Final) -> None:
    body = {"id": HELD, "captured_fen": SUBSIDY_FEN, "captured_basket_fen": BASKETS[HELD]}
    story.done(20, CAPTURE, body, HELD)


def _pay_unasked(story: Story, final: Final) -> None:
    final.payments["x"] = payment("x", "captured", basket=777)
    final.moved_fen["x", "redeem"] = SUBSIDY_FEN


def _refund_unasked(story: Story, final: Final) -> None:
    final.refunds["x"] = Refund(id="x", payment=HELD, kind="refund", goods_fen=10, back_fen=10)
    final.moved_fen["x", "refund"] = 10
    final.payments[HELD] = payment(HELD, "captured", returned=10, refunded=10)


def _expire_early(story: Story, final: Final) -> None:
    final.now = 10.0
    story.events = [event for event in story.events if event.op != 6]
    final.payments[VOIDED] = payment(VOIDED, "expired", captured=0)
    final.moved_fen[VOIDED, "hold_expiry"] = final.moved_fen.pop((VOIDED, "void"))


def _effect_of_refused(story: Story, final: Final) -> None:
    story.ask(20, REDEEM, amount_fen=555)
    story.tell(20, 409, {"code": "not_usable_here"})
    final.payments["x"] = payment("x", "captured", basket=555)
    final.moved_fen["x", "redeem"] = SUBSIDY_FEN


def _effect_of_busy(story: Story, final: Final) -> None:
    story.ask(20, REDEEM, amount_fen=555)
    story.tell(20, 503, {"code": "busy"})
    final.payments["x"] = payment("x", "captured", basket=555)
    final.moved_fen["x", "redeem"] = SUBSIDY_FEN


def _refused_refund_done(story: Story, final: Final) -> None:
    story.ask(20, REFUND, HELD, 10)
    story.tell(20, 409, {"code": "refund_too_large"})
    _refund_unasked(story, final)


def _refused_void_done(story: Story, final: Final) -> None:
    story.events = [event for event in story.events if event.op != 6]
    story.ask(20, VOID, VOIDED)
    story.tell(20, 409, {"code": "wrong_state"})


def _alter_amount(story: Story, final: Final) -> None:
    final.payments[REDEEMED] = replace(final.payments[REDEEMED], subsidy_fen=SUBSIDY_FEN - 1)


def _alter_captured(story: Story, final: Final) -> None:
    final.payments[HELD] = payment(HELD, "captured", captured=SUBSIDY_FEN - 5)
    final.moved_fen[HELD, "capture"] -= 5
    final.moved_fen[HELD, "release"] = 5


def _alter_refund(story: Story, final: Final) -> None:
    final.refunds[REFUND_ID] = replace(final.refunds[REFUND_ID], back_fen=1)
    final.moved_fen[REFUND_ID, "refund"] = 1
    final.payments[REDEEMED] = payment(REDEEMED, "captured", returned=REFUND_GOODS_FEN, refunded=1)


def _answer_otherwise(story: Story, final: Final) -> None:
    story.ask(1, REDEEM, amount_fen=BASKETS[REDEEMED], attempt=2)
    story.tell(1, 200, {"id": REDEEMED, "subsidy_fen": SUBSIDY_FEN, "captured_fen": 1}, attempt=2)


def _refuse_what_was_done(story: Story, final: Final) -> None:
    story.ask(1, REDEEM, amount_fen=BASKETS[REDEEMED], attempt=2)
    story.tell(1, 409, {"code": "code_already_used"}, attempt=2)


def _answer_500(story: Story, final: Final) -> None:
    story.ask(20, VOID, HELD)
    story.tell(20, 500, {"code": "internal"})


def _read_old(story: Story, final: Final) -> None:
    story.done(20, LOOK, {"state": "held", "refunded_fen": 0}, HELD)


def _read_less_refunded(story: Story, final: Final) -> None:
    story.done(20, LOOK, {"state": "captured", "refunded_fen": 0}, REDEEMED)


def _read_what_never_was(story: Story, final: Final) -> None:
    story.done(20, LOOK, {"state": "captured", "refunded_fen": 5}, HELD)


def _move_without_cause(story: Story, final: Final) -> None:
    final.moved_fen["ghost", "redeem"] = 1


def _move_less(story: Story, final: Final) -> None:
    final.moved_fen[VOIDED, "void"] -= 1


BAD: dict[str, list[Spoil]] = {
    v.LOST: [_lose_payment, _lose_refund, _lose_capture, _lose_void, _lose_undo, _lose_wish],
    v.TWICE: [_pay_twice, _refund_twice, _undo_twice, _capture_twice],
    v.UNASKED: [_pay_unasked, _refund_unasked, _expire_early],
    v.REFUSED_EFFECT: [_effect_of_refused, _effect_of_busy, _refused_refund_done, _refused_void_done],
    v.CHANGED: [_alter_amount, _alter_captured, _alter_refund],
    v.ANSWERS: [_answer_otherwise, _refuse_what_was_done],
    v.STATUS: [_answer_500],
    v.READ: [_read_old, _read_less_refunded, _read_what_never_was],
    v.LEDGER: [_move_without_cause, _move_less],
    v.SUM: [_lose_payment, _lose_refund, _pay_unasked],
}


@pytest.mark.parametrize(
    ("name", "spoil"), [(name, spoil) for name, spoils in BAD.items() for spoil in spoils]
)
def test_a_bad_history_is_named(name: str, spoil: Spoil) -> None:
    story, final = sound_story(), sound_final()
    spoil(story, final)
    assert name in _names(story, final)


def test_a_cap_that_is_exceeded_is_named() -> None:
    by_fen = CapOf(CAMPAIGN, "merchant", False, None, 2 * SUBSIDY_FEN - 251)
    by_uses = CapOf(CAMPAIGN, "person", True, 1, None)
    wide = CapOf(CAMPAIGN, "person", True, 2, 2 * SUBSIDY_FEN - 250)
    assert _names(sound_story(), sound_final(), (wide,)) == set()
    for cap in (by_fen, by_uses):
        found = check(sound_story().events, sound_final(), (cap,))
        assert [violation.name for violation in found] == [v.CAP]
        assert MERCHANT in found[0].what or cap is by_uses


def test_an_unknown_outcome_may_be_either() -> None:
    for there in (True, False):
        story, final = sound_story(), sound_final()
        story.ask(20, REDEEM, amount_fen=900)
        story.events.append(Lost(op=20, attempt=1, why="left", at=99.0))
        if there:
            final.payments["x"] = payment("x", "captured", basket=900)
            final.moved_fen["x", "redeem"] = SUBSIDY_FEN
        assert check(story.events, final) == []


def test_outcomes_of_operations() -> None:
    story = Story()
    for op, statuses in enumerate(([200], [409], [503, 503], [503, 504], [504, 200], [504, 410]), start=1):
        for attempt, status in enumerate(statuses, start=1):
            story.ask(op, VOID, "p", attempt=attempt)
            story.tell(op, status, {}, attempt=attempt)
    story.ask(7, VOID, "p")
    found = [one.outcome for one in operations(story.events).values()]
    assert found == [OK, REFUSED, NOTHING, UNKNOWN, OK, REFUSED, UNKNOWN]


def test_a_history_is_read_back_but_for_a_line_that_was_cut(tmp_path: Path) -> None:
    story, file = sound_story(), tmp_path / "history.jsonl"
    history = History(file)
    for event in story.events:
        history.write(event)
    history.close()
    assert read_history(file) == story.events == history.events
    file.write_bytes(file.read_bytes()[:-10])
    assert read_history(file) == story.events[:-1]
