"""The texts of the checks: each answers (campaign_id, subject, id, expected, found) of the rows that break it.

``@name`` is a relation and ``#name#`` a value of `campaigns.store.audit_scope`; sums come from rows of their own, never
from what they are held against.
"""

from typing import Final

HOLDINGS_PER_TIER: Final = """
WITH made AS (
    SELECT campaign_id, window_id, tier, count(*) AS allotments FROM @allotment_of_tier AS a GROUP BY 1, 2, 3
), used AS (
    SELECT campaign_id, window_id, tier, count(*) AS holders FROM (
        SELECT v.campaign_id, a.window_id, a.tier FROM voucher v JOIN @allotment_of_tier AS a ON a.id = v.allotment_id
        UNION ALL
        SELECT w.campaign_id, w.window_id, w.tier FROM @award_of_tier AS w WHERE w.state = 'live'
    ) AS holding GROUP BY 1, 2, 3
)
SELECT campaign_id, 'tier', window_id || '/' || tier, 'at most ' || coalesce(allotments, 0), holders
FROM used LEFT JOIN made USING (campaign_id, window_id, tier)
WHERE holders > coalesce(allotments, 0)
"""

ALLOTMENT_STATE: Final = """
SELECT a.campaign_id, 'allotment', a.id, a.state,
       CASE WHEN v.id IS NOT NULL THEN 'granted' WHEN w.id IS NOT NULL THEN 'awarded' ELSE 'free' END
FROM @allotment AS a
LEFT JOIN voucher v ON v.campaign_id = a.campaign_id AND v.allotment_id = a.id
LEFT JOIN award w ON w.campaign_id = a.campaign_id AND w.allotment_id = a.id AND w.state = 'live'
WHERE a.state <> CASE WHEN v.id IS NOT NULL THEN 'granted' WHEN w.id IS NOT NULL THEN 'awarded' ELSE 'free' END
   OR v.id IS NOT NULL AND w.id IS NOT NULL
"""

ALLOTMENTS_ADD_UP: Final = """
WITH made AS (
    SELECT campaign_id, coalesce(sum(allotments) FILTER (WHERE state = 'granted'), 0) AS granted,
           coalesce(sum(allotments) FILTER (WHERE state = 'awarded'), 0) AS awarded
    FROM @allotment_tally AS a GROUP BY 1
), held AS (SELECT campaign_id, sum(vouchers) AS vouchers FROM @voucher_tally AS v GROUP BY 1
), live AS (SELECT campaign_id, count(*) AS awards FROM award WHERE state = 'live' GROUP BY 1)
SELECT campaign_id, 'campaign', campaign_id,
       format('%s granted, %s awarded', coalesce(vouchers, 0), coalesce(awards, 0)),
       format('%s granted, %s awarded', coalesce(granted, 0), coalesce(awarded, 0))
FROM made FULL JOIN held USING (campaign_id) FULL JOIN live USING (campaign_id)
WHERE coalesce(granted, 0) <> coalesce(vouchers, 0) OR coalesce(awarded, 0) <> coalesce(awards, 0)
"""

VOUCHER_OF_ALLOTMENT: Final = """
SELECT v.campaign_id, 'voucher', v.id, a.face_fen || ' at ' || a.operator_id, v.face_fen || ' at ' || v.operator_id
FROM @voucher_written AS v LEFT JOIN allotment a ON a.id = v.allotment_id AND a.campaign_id = v.campaign_id
WHERE a.id IS NULL OR a.face_fen <> v.face_fen OR a.operator_id <> v.operator_id
"""

GRANTED_WITHIN_FUNDS: Final = """
WITH granted AS (SELECT campaign_id, sum(face) AS fen FROM @voucher_tally AS v GROUP BY 1),
     allotted AS (SELECT campaign_id, sum(face) AS fen FROM @allotment_tally AS a GROUP BY 1),
     funded AS (SELECT campaign_id, sum(amount_fen) AS fen FROM funding GROUP BY 1)
SELECT campaign_id, 'campaign', campaign_id, 'at most ' || coalesce(funded.fen, 0),
       'allotted ' || coalesce(allotted.fen, 0) || ', granted ' || coalesce(granted.fen, 0)
FROM allotted FULL JOIN granted USING (campaign_id) LEFT JOIN funded USING (campaign_id)
WHERE greatest(granted.fen, allotted.fen) > coalesce(funded.fen, 0)
"""

TURNS: Final = """
WITH holding AS (
    SELECT campaign_id, window_id, person_id, count(*) AS held FROM (
        SELECT v.campaign_id, a.window_id, v.person_id
        FROM @voucher_of_person AS v JOIN allotment a ON a.id = v.allotment_id
        UNION ALL
        SELECT campaign_id, window_id, person_id FROM @award_of_person AS w WHERE state = 'live'
    ) AS held GROUP BY 1, 2, 3
), turns AS (
    SELECT campaign_id, window_id, person_id, count(*) AS taken, max(n) AS highest FROM @turn AS t GROUP BY 1, 2, 3
)
SELECT campaign_id, 'person in window', person_id || '/' || window_id,
       'at most ' || coalesce(c.definition ->> 'per_person', '1') || ' and a turn for each',
       coalesce(held, 0) || ' held, ' || coalesce(taken, 0) || ' turns'
FROM holding FULL JOIN turns USING (campaign_id, window_id, person_id)
LEFT JOIN (SELECT id, jsonb_build_object('per_person', definition -> 'per_person') AS definition FROM campaign) AS c
    ON c.id = campaign_id
WHERE coalesce(held, 0) > least(coalesce(taken, 0), coalesce((c.definition ->> 'per_person')::int, 1))
   OR coalesce(highest, 0) > coalesce((c.definition ->> 'per_person')::int, 1)
"""

VOUCHER_PARTS: Final = """
SELECT campaign_id, 'voucher', id, face_fen::text,
       (balance_fen + held_fen + captured_fen - refunded_fen + taken_back_fen)::text
FROM @voucher AS v
WHERE balance_fen + held_fen + captured_fen - refunded_fen + taken_back_fen <> face_fen
   OR least(balance_fen, held_fen, captured_fen, refunded_fen, taken_back_fen) < 0 OR refunded_fen > captured_fen
"""

VOUCHER_OF_LINES: Final = """
WITH lines AS (
    SELECT l.voucher_id, sum(l.held_fen) FILTER (WHERE p.state = 'held') AS held, sum(l.captured_fen) AS captured,
           sum(l.refunded_fen) AS refunded, count(*) FILTER (WHERE p.state IN ('held', 'captured')) AS uses
    FROM @line_of_voucher AS l JOIN payment p ON p.id = l.payment_id GROUP BY 1
)
SELECT v.campaign_id, 'voucher', v.id,
       format('held %s captured %s refunded %s uses %s', coalesce(held, 0), coalesce(captured, 0),
              coalesce(refunded, 0), coalesce(lines.uses, 0)),
       format('held %s captured %s refunded %s uses %s', v.held_fen, v.captured_fen, v.refunded_fen, v.uses)
FROM @voucher AS v LEFT JOIN lines ON lines.voucher_id = v.id
WHERE v.held_fen <> coalesce(held, 0) OR v.captured_fen <> coalesce(captured, 0)
   OR v.refunded_fen <> coalesce(refunded, 0) OR v.uses <> coalesce(lines.uses, 0)
"""

# Two invariants in one pass over the lines, which are most of what there is to read.
LINES_OF_VOUCHER: Final = """
SELECT line.campaign_id, told.subject, told.id, told.expected, told.found, told.invariant, told.name
FROM (
    SELECT l.campaign_id, l.payment_id, l.line, v.person_id AS holder, p.person_id AS payer, v.granted_at, v.expires_at,
           p.authorized_at,
           v.id IS NULL OR p.id IS NULL OR v.person_id <> p.person_id OR v.campaign_id <> l.campaign_id
               OR v.operator_id <> l.operator_id OR (l.held_fen > 0 AND p.state <> 'held') AS astray,
           coalesce(p.authorized_at < v.granted_at OR p.authorized_at >= v.expires_at, false) AS late
    FROM @line_of_payment AS l LEFT JOIN voucher v ON v.id = l.voucher_id LEFT JOIN @payment AS p ON p.id = l.payment_id
) AS line CROSS JOIN LATERAL (VALUES
    (astray, 'payment line', payment_id || '/' || line, 'a voucher and a payment of the same person',
     coalesce(holder::text, 'no voucher') || ' / ' || coalesce(payer::text, 'no payment'), 4, 'line_of_one_person'),
    (late, 'payment', payment_id::text, format('from %s until %s', granted_at, expires_at), authorized_at::text, 14,
     'decided_in_time')
) AS told (broken, subject, id, expected, found, invariant, name)
WHERE (astray OR late) AND told.broken
"""

PAYMENT_OF_LINES: Final = """
WITH lines AS (
    SELECT payment_id, min(campaign_id::text) AS campaign_id, sum(authorized_fen) AS authorized,
           sum(captured_fen) AS captured, sum(refunded_fen) AS refunded
    FROM @line_of_payment AS l GROUP BY 1
), refunds AS (
    SELECT payment_id, sum(back_fen) AS back, sum(returned_goods_fen) AS goods FROM @refund AS r GROUP BY 1
)
SELECT lines.campaign_id, 'payment', p.id,
       format('%s authorized, %s captured, %s refunded by %s', authorized, captured, refunded, coalesce(back, 0)),
       format('%s authorized, %s captured, %s refunded', p.subsidy_fen, p.captured_fen, p.refunded_fen)
FROM @payment AS p LEFT JOIN lines ON lines.payment_id = p.id LEFT JOIN refunds ON refunds.payment_id = p.id
WHERE p.subsidy_fen IS DISTINCT FROM authorized OR p.captured_fen IS DISTINCT FROM captured
   OR p.refunded_fen IS DISTINCT FROM refunded OR p.refunded_fen <> coalesce(back, 0)
   OR p.returned_goods_fen <> coalesce(goods, 0) OR (p.state = 'undone' AND p.refunded_fen <> p.captured_fen)
   OR (p.captured_fen > 0 AND p.state NOT IN ('captured', 'undone'))
"""

PAYMENT_IN_BOOKS: Final = """
WITH lines AS (
    SELECT payment_id, campaign_id, operator_id, sum(captured_fen) AS captured, sum(held_fen) AS held,
           sum(refunded_fen) AS refunded
    FROM @line_of_payment AS l GROUP BY 1, 2, 3
), booked AS (
    SELECT cause_id AS payment_id, campaign_id, operator_id,
           coalesce(sum(amount_fen) FILTER (WHERE kind IN ('capture', 'redeem')), 0) AS captured,
           coalesce(sum(CASE WHEN credit_kind = 'held' THEN amount_fen WHEN debit_kind = 'held' THEN -amount_fen END), 0)
               AS held
    FROM @transfer_of_payment AS t
    WHERE kind IN ('authorize', 'capture', 'release', 'redeem', 'void', 'hold_expiry') GROUP BY 1, 2, 3
), returned AS (
    SELECT coalesce(r.payment_id, t.cause_id) AS payment_id, t.campaign_id, t.operator_id, sum(t.amount_fen) AS refunded
    FROM @transfer_of_refund AS t LEFT JOIN refund r ON r.id = t.cause_id
    WHERE t.kind IN ('refund', 'undo') GROUP BY 1, 2, 3
)
SELECT campaign_id, 'payment', payment_id,
       format('captured %s held %s refunded %s', coalesce(l.captured, 0), coalesce(l.held, 0), coalesce(l.refunded, 0)),
       format('booked: captured %s held %s refunded %s', coalesce(b.captured, 0), coalesce(b.held, 0),
              coalesce(r.refunded, 0))
FROM lines l FULL JOIN booked b USING (payment_id, campaign_id, operator_id)
     FULL JOIN returned r USING (payment_id, campaign_id, operator_id)
WHERE coalesce(l.captured, 0) <> coalesce(b.captured, 0) OR coalesce(l.held, 0) <> coalesce(b.held, 0)
   OR coalesce(l.refunded, 0) <> coalesce(r.refunded, 0)
"""

PAYABLE_OF_MERCHANT: Final = """
SELECT t.campaign_id, 'transfer', t.cause_id || '/' || t.kind || '/' || t.line, 'payable of ' || p.merchant_id,
       'payable of ' || CASE WHEN t.credit_kind = 'payable' THEN t.credit_id ELSE t.debit_id END
FROM @transfer_written AS t LEFT JOIN refund r ON r.id = t.cause_id
JOIN payment p ON p.id = coalesce(r.payment_id, t.cause_id)
WHERE 'payable' IN (t.credit_kind, t.debit_kind)
  AND CASE WHEN t.credit_kind = 'payable' THEN t.credit_id ELSE t.debit_id END <> p.merchant_id
"""

_MOVES: Final = """
    SELECT campaign_id, operator_id, credit_kind AS kind, credit_id AS holder_id, amount_fen FROM @flow AS f
    UNION ALL
    SELECT campaign_id, operator_id, debit_kind, debit_id, -amount_fen FROM @flow AS f
"""

ACCOUNTS: Final = f"""
WITH booked AS (
    SELECT campaign_id, operator_id,
           coalesce(sum(amount_fen) FILTER (WHERE kind = 'outstanding'), 0) AS outstanding,
           coalesce(sum(amount_fen) FILTER (WHERE kind = 'held'), 0) AS held,
           coalesce(sum(amount_fen) FILTER (WHERE kind = 'escrow'), 0) AS escrow
    FROM ({_MOVES}) AS moves GROUP BY 1, 2
), vouchers AS (
    SELECT campaign_id, operator_id, sum(balance) AS balance, sum(taken_back) AS taken_back
    FROM @voucher_tally AS v GROUP BY 1, 2
), holds AS (
    SELECT l.campaign_id, l.operator_id, sum(l.held_fen) AS held
    FROM payment_line l JOIN payment p ON p.id = l.payment_id WHERE p.state = 'held' GROUP BY 1, 2
), allotments AS (
    SELECT campaign_id, operator_id, sum(face) AS made,
           coalesce(sum(face) FILTER (WHERE state IN ('free', 'awarded')), 0) AS waiting
    FROM @allotment_tally AS a GROUP BY 1, 2
), funds AS (
    SELECT campaign_id, operator_id, sum(amount_fen) AS funded FROM funding GROUP BY 1, 2
), leaving AS (
    SELECT campaign_id, operator_id, coalesce(sum(amount_fen) FILTER (WHERE kind = 'close'), 0) AS closed,
           coalesce(sum(amount_fen) FILTER (WHERE kind IN ('refund', 'undo') AND credit_kind = 'returned'), 0)
               AS to_funders
    FROM @flow AS f GROUP BY 1, 2
), expected AS (
    SELECT campaign_id, operator_id, coalesce(v.balance, 0) AS outstanding, coalesce(h.held, 0) AS held,
           coalesce(a.waiting, 0) + coalesce(f.funded, 0) - coalesce(a.made, 0)
               + coalesce(v.taken_back, 0) - coalesce(x.to_funders, 0) - coalesce(x.closed, 0) AS escrow
    FROM funds f FULL JOIN allotments a USING (campaign_id, operator_id)
         FULL JOIN vouchers v USING (campaign_id, operator_id) FULL JOIN holds h USING (campaign_id, operator_id)
         FULL JOIN leaving x USING (campaign_id, operator_id)
)
SELECT campaign_id, 'custody operator', operator_id,
       format('outstanding %s held %s escrow %s', coalesce(e.outstanding, 0), coalesce(e.held, 0), coalesce(e.escrow, 0)),
       format('outstanding %s held %s escrow %s', coalesce(b.outstanding, 0), coalesce(b.held, 0), coalesce(b.escrow, 0))
FROM expected e FULL JOIN booked b USING (campaign_id, operator_id)
WHERE coalesce(e.outstanding, 0) <> coalesce(b.outstanding, 0) OR coalesce(e.held, 0) <> coalesce(b.held, 0)
   OR coalesce(e.escrow, 0) <> coalesce(b.escrow, 0)
"""

FUNDING_IN_BOOKS: Final = """
SELECT coalesce(f.campaign_id, t.campaign_id), 'funding', coalesce(f.id, t.cause_id),
       coalesce(f.amount_fen, 0)::text, coalesce(t.amount_fen, 0)::text
FROM funding f FULL JOIN (SELECT * FROM @transfer_of_funding AS t WHERE kind = 'fund') AS t ON t.cause_id = f.id
WHERE f.amount_fen IS DISTINCT FROM t.amount_fen OR f.funder_id IS DISTINCT FROM t.debit_id
   OR f.operator_id IS DISTINCT FROM t.operator_id OR f.campaign_id IS DISTINCT FROM t.campaign_id
"""

GRANT_IN_BOOKS: Final = """
SELECT coalesce(v.campaign_id, t.campaign_id), 'voucher', coalesce(v.id, t.cause_id),
       coalesce(v.face_fen, 0)::text, coalesce(t.amount_fen, 0)::text
FROM @voucher_written AS v
FULL JOIN (SELECT * FROM @transfer_of_voucher AS t WHERE kind = 'grant') AS t ON t.cause_id = v.id
WHERE v.face_fen IS DISTINCT FROM t.amount_fen OR v.operator_id IS DISTINCT FROM t.operator_id
   OR v.campaign_id IS DISTINCT FROM t.campaign_id
"""

# Paid falls by what a bank sends back alone, so only those accounts are looked at one by one.
NO_NEGATIVE_ACCOUNT: Final = f"""
SELECT campaign_id, 'account', kind || ':' || holder_id, 'at least 0', sum(amount_fen)::text
FROM ({_MOVES}) AS moves
WHERE kind NOT IN ('funder', 'payable', 'paid')
GROUP BY campaign_id, kind, holder_id HAVING sum(amount_fen) < 0
UNION ALL
SELECT campaign_id, 'account', 'paid:' || holder_id, 'at least 0', sum(amount_fen)::text
FROM (
    SELECT campaign_id, credit_id AS holder_id, amount_fen FROM transfer
    WHERE credit_kind = 'paid' AND credit_id IN (SELECT debit_id FROM @transfer_written AS t WHERE debit_kind = 'paid')
    UNION ALL
    SELECT campaign_id, debit_id, -amount_fen FROM transfer
    WHERE debit_kind = 'paid' AND debit_id IN (SELECT debit_id FROM @transfer_written AS t WHERE debit_kind = 'paid')
) AS paid
GROUP BY campaign_id, holder_id HAVING sum(amount_fen) < 0
"""

CAMPAIGN_SUM: Final = f"""
WITH sums AS (
    SELECT campaign_id, coalesce(sum(amount_fen) FILTER (WHERE kind <> 'funder'), 0) AS held_anywhere
    FROM ({_MOVES}) AS moves GROUP BY 1
), funds AS (SELECT campaign_id, sum(amount_fen) AS funded FROM funding GROUP BY 1)
SELECT campaign_id, 'campaign', campaign_id, coalesce(funded, 0)::text, coalesce(held_anywhere, 0)::text
FROM sums FULL JOIN funds USING (campaign_id)
WHERE coalesce(funded, 0) <> coalesce(held_anywhere, 0)
"""

LEGAL_TRANSFERS: Final = """
SELECT campaign_id, 'transfer', cause_id || '/' || kind || '/' || line, 'a move its verb allows',
       debit_kind || ' -> ' || credit_kind
FROM @transfer_written AS t WHERE (kind, debit_kind, credit_kind) NOT IN (
    ('fund', 'funder', 'escrow'), ('grant', 'escrow', 'outstanding'), ('authorize', 'outstanding', 'held'),
    ('capture', 'held', 'payable'), ('release', 'held', 'outstanding'), ('release', 'held', 'escrow'),
    ('redeem', 'outstanding', 'payable'), ('void', 'held', 'outstanding'), ('void', 'held', 'escrow'),
    ('hold_expiry', 'held', 'outstanding'), ('hold_expiry', 'held', 'escrow'),
    ('refund', 'payable', 'outstanding'), ('refund', 'payable', 'escrow'), ('refund', 'payable', 'returned'),
    ('undo', 'payable', 'outstanding'), ('undo', 'payable', 'escrow'), ('undo', 'payable', 'returned'),
    ('expire', 'outstanding', 'escrow'), ('pay_out', 'payable', 'paid'), ('bank_return', 'paid', 'payable'),
    ('close', 'escrow', 'returned'))
"""

COMMITMENT_FIRST: Final = """
SELECT campaign_id, 'draw', id::text, 'committed before ' || drawn_at, committed_at::text
FROM draw WHERE seed IS NOT NULL AND (committed_at IS NULL OR drawn_at IS NULL OR committed_at >= drawn_at)
UNION ALL
SELECT d.campaign_id, 'draw source', d.id || '/' || s.number, 'received after ' || d.committed_at, s.received_at::text
FROM draw_source s JOIN draw d ON d.id = s.draw_id WHERE s.received_at < d.committed_at
"""

DECIDED_IN_TIME: Final = """
SELECT NULL, 'payment', id, format('captured from %s until %s', authorized_at, hold_until), captured_at::text
FROM @payment AS p WHERE captured_at < authorized_at OR captured_at > hold_until
UNION ALL
SELECT v.campaign_id, 'voucher', v.id, format('granted from %s until %s', w.awarded_at, w.accept_until),
       v.granted_at::text
FROM @voucher_written AS v JOIN award w ON w.allotment_id = v.allotment_id AND w.state = 'granted'
LEFT JOIN entry e ON e.id = w.entry_id
WHERE v.granted_at < w.awarded_at OR v.granted_at > w.accept_until AND e.accept_if_won IS NOT TRUE
"""
