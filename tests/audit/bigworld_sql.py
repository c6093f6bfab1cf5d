"""The statements of `tests.audit.bigworld`: plans of payments in two temporary tables, then the product's rows of them."""

from typing import Final

# Kinds of rows in their ids: 1 person, 2 merchant, 3 store, 4 terminal, 5 allotment, 6 voucher, 7 payment, 8 and 9 its
# refunds, 10 award, 11 funding. An id begins with its number as version 7 ids begin with their time.
PREPARE: Final = """
CREATE FUNCTION gid(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT (lpad(to_hex(n + 1), 12, '0') || '70008000' || lpad(to_hex(kind), 12, '0'))::uuid $$;
CREATE FUNCTION dice(n bigint, salt int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT (hashint8extended(n, salt) & 2147483647)::int $$;
CREATE FUNCTION nobody() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT '00000000-0000-0000-0000-000000000000'::uuid $$;
CREATE TABLE big_campaign (i int PRIMARY KEY, id uuid, window_id uuid, terms_version_id bigint);
CREATE TABLE big_operator (i int PRIMARY KEY, id uuid);
CREATE TEMPORARY TABLE pay_plan (
    n bigint, id uuid, person_id uuid, voucher_id uuid, merchant_id uuid, place int, at timestamptz, verb text, end_state text);
CREATE TEMPORARY TABLE line_plan (
    n bigint, id uuid, verb text, line smallint, voucher_id uuid, campaign_id uuid, operator_id uuid, terms_version_id bigint,
    merchant_id uuid, at timestamptz, authorized bigint, held bigint, captured bigint, first_back bigint,
    second_back bigint);
"""

PLACES: Final = (
    """
    INSERT INTO merchant (id, programme_id, code, name, credit_code, acquiring_operator_id, tags, mcc, active, created_at)
    SELECT gid(2, i), $2, 'big' || i, 'M', '', (SELECT id FROM big_operator WHERE i = 0), '[]', '5411', true, now()
    FROM generate_series(0, $1::int - 1) AS i
    """,
    """
    INSERT INTO store (id, merchant_id, code, name, place, zones, scenario, active)
    SELECT gid(3, i), gid(2, i), 's', 'S', '370124', '[]', 'retail', true FROM generate_series(0, $1::int - 1) AS i
    WHERE $2::uuid IS NOT NULL
    """,
    """
    INSERT INTO terminal (id, store_id, code, store_code, channel, active)
    SELECT gid(4, i), gid(3, i), 't', 'big' || i, 'in_store', true FROM generate_series(0, $1::int - 1) AS i
    WHERE $2::uuid IS NOT NULL
    """,
)

# $1 vouchers, $2 face, $3 time, $4 programme. Voucher i is of person i mod persons; a person's two are of two campaigns.
_VOUCHERS = """
    (SELECT n.i, gid(1, n.i % ($1::int / 2)) AS person_id, c.id AS campaign_id, c.window_id, c.terms_version_id,
            o.id AS operator_id, $2::bigint AS face_fen, $3::timestamptz AS at, $4::uuid AS programme_id
     FROM generate_series(0, $1::int {more}) AS n (i)
     JOIN big_campaign c ON c.i = (n.i % ($1::int / 2) + n.i / ($1::int / 2)) % 4
     JOIN big_operator o ON o.i = n.i % 2 ORDER BY n.i) AS v
"""
_OF_ALL = _VOUCHERS.format(more="- 1")
_AND_SPARE = _VOUCHERS.format(more="+ $1::int / 10")
ISSUE: Final = (
    f"""
    INSERT INTO person (id, programme_id, created_at)
    SELECT person_id, programme_id, at FROM {_OF_ALL} WHERE i < $1::int / 2
    """,
    """
    INSERT INTO funding (id, campaign_id, funder_id, operator_id, amount_fen, at)
    SELECT gid(11, c.i), c.id, (SELECT id FROM funder WHERE campaign_id = c.id), o.id, $1::int * $2::bigint, $3::timestamptz
    FROM big_campaign c, big_operator o WHERE o.i = 1 AND $4::uuid IS NOT NULL
    """,
    """
    INSERT INTO transfer (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind, credit_id,
                          amount_fen, at)
    SELECT gid(11, c.i), 'fund', 1, c.id, o.id, 'funder', (SELECT id FROM funder WHERE campaign_id = c.id), 'escrow', o.id,
           $1::int * $2::bigint, $3::timestamptz
    FROM big_campaign c, big_operator o WHERE o.i = 1 AND $4::uuid IS NOT NULL
    """,
    f"""
    INSERT INTO allotment (id, campaign_id, window_id, tier, operator_id, face_fen, state)
    SELECT gid(5, i), campaign_id, window_id, 1 + i % 3, operator_id, face_fen,
           CASE WHEN i < $1::int THEN 'granted' WHEN i % 10 = 0 THEN 'awarded' ELSE 'free' END FROM {_AND_SPARE}
    """,
    f"""
    INSERT INTO turn (campaign_id, window_id, person_id, n)
    SELECT campaign_id, window_id, person_id, 1 FROM {_OF_ALL}
    """,
    f"""
    INSERT INTO award (id, campaign_id, window_id, person_id, allotment_id, tier, rank, state, accept_until, awarded_at,
                       ended_at)
    SELECT gid(10, i), campaign_id, window_id, CASE WHEN i < $1::int THEN person_id ELSE gid(12, i) END, gid(5, i), 1 + i % 3,
           i + 1, CASE WHEN i < $1::int THEN 'granted' ELSE 'live' END, at + interval '30 days', at,
           CASE WHEN i < $1::int THEN at END
    FROM {_AND_SPARE} WHERE i % 3 = 0 AND i < $1::int OR i >= $1::int AND i % 10 = 0
    """,
    f"""
    INSERT INTO turn (campaign_id, window_id, person_id, n)
    SELECT campaign_id, window_id, gid(12, i), 1 FROM {_AND_SPARE} WHERE i >= $1::int AND i % 10 = 0
    """,
    f"""
    INSERT INTO voucher (id, campaign_id, person_id, allotment_id, operator_id, terms_version_id, face_fen, balance_fen,
                         granted_at, expires_at)
    SELECT gid(6, i), campaign_id, person_id, gid(5, i), operator_id, terms_version_id, face_fen, face_fen, at,
           at + CASE WHEN i % 10 = 3 AND i < $1::int / 2 THEN interval '22 hours' ELSE interval '29 days' END
    FROM {_OF_ALL}
    """,
    f"""
    INSERT INTO transfer (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind, credit_id,
                          amount_fen, at)
    SELECT gid(6, i), 'grant', 1, campaign_id, operator_id, 'escrow', operator_id, 'outstanding', operator_id, face_fen, at
    FROM {_OF_ALL}
    """,
)

# $1 first, $2 last, $3 vouchers, $4 merchants, $5 base, $6 step
PLAN_PAYMENTS: Final = """
INSERT INTO pay_plan
SELECT n, gid(7, n), gid(1, n % ($3::int / 2)), gid(6, n % $3::int), gid(2, dice(n, 3) % $4::int), dice(n, 3) % $4::int,
       $5::timestamptz + n * $6::interval, verb,
       CASE verb WHEN 'void' THEN 'voided' WHEN 'expiry' THEN 'expired' WHEN 'hold' THEN 'held' WHEN 'undo' THEN 'undone'
                 ELSE 'captured' END
FROM (SELECT n, CASE WHEN k < 80 THEN 'redeem' WHEN k < 84 THEN 'capture' WHEN k < 88 THEN 'part' WHEN k < 90 THEN 'void'
                     WHEN k = 90 THEN 'expiry' WHEN k = 91 AND n % 10 = 0 THEN 'hold' WHEN k < 92 THEN 'redeem'
                     WHEN k < 96 THEN 'refund' WHEN k < 98 THEN 'refunds' ELSE 'undo' END AS verb
      FROM (SELECT n, dice(n, 1) % 100 AS k FROM generate_series($1::bigint, $2::bigint) AS n) AS d) AS v
"""

PLAN_LINES: Final = """
INSERT INTO line_plan
SELECT n, id, verb, line, voucher_id, campaign_id, operator_id, terms_version_id, merchant_id, at, a,
       CASE WHEN verb = 'hold' THEN a ELSE 0 END,
       CASE WHEN verb IN ('void', 'expiry', 'hold') THEN 0 WHEN verb = 'part' THEN a / 2 ELSE a END,
       CASE WHEN verb IN ('refund', 'refunds') THEN a / 3 WHEN verb = 'undo' THEN a ELSE 0 END,
       CASE WHEN verb = 'refunds' THEN a / 4 ELSE 0 END
FROM (SELECT p.n, p.id, p.verb, p.merchant_id, p.at, v.*,
             (CASE line WHEN 1 THEN 100 + dice(n, 4) % 400 ELSE 50 + dice(n, 5) % 100 END)::bigint AS a
      FROM pay_plan p
      CROSS JOIN LATERAL (SELECT id AS voucher_id, campaign_id, operator_id, terms_version_id,
                                 row_number() OVER (ORDER BY id <> p.voucher_id) AS line
                          FROM voucher WHERE person_id = p.person_id AND state = 'live') AS v
      WHERE line = 1 OR line = 2 AND n % 20 = 0) AS l
"""

ADD_PAYMENTS: Final = """
INSERT INTO payment (id, programme_id, person_id, merchant_id, store_id, terminal_id, code_id, basket_fen, purchase, state,
    subsidy_fen, captured_basket_fen, captured_fen, returned_goods_fen, refunded_fen, authorized_at, hold_until,
    captured_at, ended_at)
SELECT p.id, $1::uuid, p.person_id, p.merchant_id, gid(3, p.place), gid(4, p.place), gid(13, p.n), 2 * s.a,
       '{"channel": "in_store", "items": [], "position": null}', p.end_state, s.a,
       CASE WHEN p.end_state IN ('captured', 'undone') THEN 2 * s.c END, s.c, 2 * s.r, s.r, p.at,
       CASE WHEN p.verb IN ('redeem', 'refund', 'refunds', 'undo') THEN p.at WHEN p.verb = 'hold' THEN p.at + interval '3 days'
            ELSE p.at + interval '10 minutes' END,
       CASE WHEN p.verb IN ('capture', 'part') THEN p.at + interval '1 minute' WHEN s.c > 0 THEN p.at END,
       CASE WHEN p.end_state IN ('voided', 'expired', 'undone') THEN p.at + interval '1 minute' END
FROM pay_plan p
JOIN (SELECT n, sum(authorized) AS a, sum(captured) AS c, sum(first_back + second_back) AS r FROM line_plan GROUP BY n) AS s
    USING (n)
ORDER BY p.n
"""

ADD_LINES: Final = """
INSERT INTO payment_line (payment_id, line, voucher_id, campaign_id, operator_id, terms_version_id, eligible_fen,
    available_fen, authorized_fen, held_fen, captured_fen, refunded_fen)
SELECT id, line, voucher_id, campaign_id, operator_id, terms_version_id, 2 * authorized, authorized, authorized, held,
       captured, first_back + second_back FROM line_plan ORDER BY n, line
"""

ADD_REFUNDS: Final = """
INSERT INTO refund (id, payment_id, kind, returned_goods_fen, back_fen, at)
SELECT gid(8, n), id, CASE WHEN verb = 'undo' THEN 'undo' ELSE 'refund' END, 2 * sum(first_back), sum(first_back),
       min(at) + interval '1 minute'
FROM line_plan WHERE first_back > 0 GROUP BY n, id, verb
UNION ALL
SELECT gid(9, n), id, 'refund', 2 * sum(second_back), sum(second_back), min(at) + interval '2 minutes'
FROM line_plan WHERE second_back > 0 GROUP BY n, id
"""

ADD_TRANSFERS: Final = """
INSERT INTO transfer (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind, credit_id,
                      amount_fen, at)
SELECT t.cause, t.kind::transfer_kind, row_number() OVER (PARTITION BY t.cause, t.kind ORDER BY l.line), l.campaign_id,
       l.operator_id, t.debit::account_kind, CASE WHEN t.debit = 'payable' THEN l.merchant_id ELSE l.operator_id END,
       t.credit::account_kind, CASE WHEN t.credit = 'payable' THEN l.merchant_id ELSE l.operator_id END, t.fen, l.at
FROM line_plan l CROSS JOIN LATERAL (
    SELECT l.id AS cause, 'redeem' AS kind, 'outstanding' AS debit, 'payable' AS credit, l.authorized AS fen
    WHERE l.verb IN ('redeem', 'refund', 'refunds', 'undo')
    UNION ALL SELECT l.id, 'authorize', 'outstanding', 'held', l.authorized
    WHERE l.verb IN ('capture', 'part', 'void', 'expiry', 'hold')
    UNION ALL SELECT l.id, 'capture', 'held', 'payable', l.captured WHERE l.verb IN ('capture', 'part')
    UNION ALL SELECT l.id, 'release', 'held', 'outstanding', l.authorized - l.captured WHERE l.verb = 'part'
    UNION ALL SELECT l.id, 'void', 'held', 'outstanding', l.authorized WHERE l.verb = 'void'
    UNION ALL SELECT l.id, 'hold_expiry', 'held', 'outstanding', l.authorized WHERE l.verb = 'expiry'
    UNION ALL SELECT gid(8, l.n), CASE WHEN l.verb = 'undo' THEN 'undo' ELSE 'refund' END, 'payable', 'outstanding',
                     l.first_back WHERE l.first_back > 0
    UNION ALL SELECT gid(9, l.n), 'refund', 'payable', 'outstanding', l.second_back WHERE l.second_back > 0
) AS t
ORDER BY l.n, l.line
"""

ADD_VOUCHER_PARTS: Final = """
UPDATE voucher v SET balance_fen = v.balance_fen - s.held - s.captured + s.refunded, held_fen = v.held_fen + s.held,
    captured_fen = v.captured_fen + s.captured, refunded_fen = v.refunded_fen + s.refunded, uses = v.uses + s.uses
FROM (SELECT voucher_id, sum(held) AS held, sum(captured) AS captured, sum(first_back + second_back) AS refunded,
             count(*) FILTER (WHERE verb NOT IN ('void', 'expiry', 'undo')) AS uses FROM line_plan GROUP BY 1) AS s
WHERE v.id = s.voucher_id
"""

ADD_COUNTERS: Final = """
INSERT INTO usage_counter (campaign_id, cap, bucket, person_id, merchant_id, uses, amount_fen)
SELECT l.campaign_id, $1::smallint, {bucket}, {person}, {merchant},
       count(*) FILTER (WHERE p.verb NOT IN ('void', 'expiry', 'undo')),
       sum(l.held + l.captured - l.first_back - l.second_back)
FROM line_plan l JOIN pay_plan p USING (n) GROUP BY 1, 2, 3, 4, 5
ON CONFLICT (campaign_id, cap, bucket, person_id, merchant_id) DO UPDATE
    SET uses = usage_counter.uses + excluded.uses, amount_fen = usage_counter.amount_fen + excluded.amount_fen
"""

EXPIRE: Final = """
WITH due AS (
    UPDATE voucher SET state = 'expired', taken_back_fen = taken_back_fen + balance_fen, balance_fen = 0
    WHERE expires_at = (SELECT min(expires_at) FROM voucher) AND balance_fen > 0
    RETURNING old.id, old.campaign_id, old.operator_id, old.balance_fen)
INSERT INTO transfer (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind, credit_id,
                      amount_fen, at)
SELECT id, 'expire', 1, campaign_id, operator_id, 'outstanding', operator_id, 'escrow', operator_id, balance_fen, $1
FROM due
"""
