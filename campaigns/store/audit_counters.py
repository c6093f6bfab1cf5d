"""The checks of usage counters: what the caps of the terms have counted, against the payments they count."""

from typing import Final

# A cap's number as campaigns.domain.usage has it: scope times 10 plus period; 100 is the first purchase.
_CAPS: Final = """
    SELECT t.campaign_id, t.id AS terms_version_id, t.compiled::jsonb ->> 'time_zone' AS zone, cap ->> 'scope' AS scope,
           cap ->> 'period' AS period,
           array_position(ARRAY['person', 'merchant', 'person_merchant', 'campaign'], cap ->> 'scope') * 10 - 10
               + array_position(ARRAY['day', 'week', 'month', 'whole'], cap ->> 'period') - 1 AS cap
    FROM terms_version t CROSS JOIN jsonb_array_elements(t.compiled::jsonb -> 'terms' -> 'caps') AS cap
"""

# Two caps of one scope and period share their counter, and each adds to it.
COUNTERS_ADD_UP: Final = f"""
WITH counted AS (
    SELECT campaign_id, cap, sum(uses) AS uses, sum(amount_fen) AS fen FROM usage_counter WHERE cap < 100 GROUP BY 1, 2
), spent AS (
    SELECT campaign_id, cap, sum(uses) AS uses, sum(spent) AS fen
    FROM @voucher_tally AS v JOIN ({_CAPS}) AS caps USING (campaign_id, terms_version_id) GROUP BY 1, 2
)
SELECT campaign_id, 'cap', cap::text, format('%s uses, %s fen', coalesce(s.uses, 0), coalesce(s.fen, 0)),
       format('%s uses, %s fen', coalesce(c.uses, 0), coalesce(c.fen, 0))
FROM counted c FULL JOIN spent s USING (campaign_id, cap)
WHERE coalesce(c.uses, 0) <> coalesce(s.uses, 0) OR coalesce(c.fen, 0) <> coalesce(s.fen, 0)
"""

# The counters' own rows, each against the payments of its bucket; the first purchase is never given back.
COUNTER_OF_PAYMENTS: Final = f"""
WITH caps AS MATERIALIZED ({_CAPS}), firsts AS MATERIALIZED (
    SELECT id AS terms_version_id FROM terms_version
    WHERE (compiled::jsonb -> 'terms' ->> 'first_purchase')::boolean
), line AS (
    SELECT l.campaign_id, l.terms_version_id, p.person_id, p.merchant_id, p.authorized_at,
           CASE WHEN p.state IN ('held', 'captured') THEN 1 ELSE 0 END AS uses,
           l.held_fen + l.captured_fen - l.refunded_fen AS fen
    FROM payment_line l JOIN payment p ON p.id = l.payment_id
), counts AS (
    SELECT l.campaign_id, c.cap,
           CASE c.period WHEN 'day' THEN (l.authorized_at AT TIME ZONE c.zone)::date
                         WHEN 'week' THEN date_trunc('week', l.authorized_at AT TIME ZONE c.zone)::date
                         WHEN 'month' THEN date_trunc('month', l.authorized_at AT TIME ZONE c.zone)::date
                         ELSE DATE '1970-01-01' END AS bucket,
           CASE WHEN c.scope IN ('person', 'person_merchant') THEN l.person_id
                ELSE '00000000-0000-0000-0000-000000000000' END AS person_id,
           CASE WHEN c.scope IN ('merchant', 'person_merchant') THEN l.merchant_id
                ELSE '00000000-0000-0000-0000-000000000000' END AS merchant_id,
           sum(l.uses) AS uses, sum(l.fen) AS fen
    FROM line l JOIN caps c USING (terms_version_id) GROUP BY 1, 2, 3, 4, 5
    UNION ALL
    SELECT campaign_id, 100, DATE '1970-01-01', person_id, merchant_id, count(*), 0
    FROM line JOIN firsts USING (terms_version_id) GROUP BY 1, 4, 5
)
SELECT campaign_id, 'usage counter', format('%s/%s/%s/%s', cap, bucket, person_id, merchant_id),
       format('%s uses, %s fen', coalesce(c.uses, 0), coalesce(c.fen, 0)),
       format('%s uses, %s fen', coalesce(u.uses, 0), coalesce(u.amount_fen, 0))
FROM usage_counter u FULL JOIN counts c USING (campaign_id, cap, bucket, person_id, merchant_id)
WHERE coalesce(u.uses, 0) <> coalesce(c.uses, 0) OR coalesce(u.amount_fen, 0) <> coalesce(c.fen, 0)
"""
