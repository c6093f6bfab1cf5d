"""The textbook's payments, to be compared with: one transaction each, in plain SQL and with an ORM.

They write the same rows as the product under the same locks, judge the same rules of the town in `loadtests.world`,
and are as durable. They are not handicapped: keys and terms are remembered as in the product, statements are prepared
once by asyncpg, and what the product does beyond that (rate limits, metrics, a log line, stored refusals, stacking of
several vouchers) is left out.
"""
