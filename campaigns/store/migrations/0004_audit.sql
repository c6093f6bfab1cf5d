-- The incremental audit: what a clean audit has proved, and by whom rows that no transfer names were written.

-- A refund of goods that gives no fen back, and an award, write no transfer. app names every column but tx.
ALTER TABLE refund ADD COLUMN tx xid8 NOT NULL DEFAULT row_tx();
ALTER TABLE award ADD COLUMN tx xid8 NOT NULL DEFAULT row_tx();
CREATE INDEX refund_tx ON refund (tx);
CREATE INDEX award_tx ON award (tx);

-- A mark says that all rows of transactions below upto_tx were proved. content holds the sums of the ledger up to it;
-- mac is an HMAC-SHA256 over number, upto_tx, content and the mac before it, by a key that the database does not know.
CREATE TABLE audit_mark (
    number integer PRIMARY KEY CHECK (number >= 1),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    upto_tx xid8 NOT NULL,
    whole boolean NOT NULL,
    content text NOT NULL,
    mac bytea NOT NULL CHECK (length(mac) = 32)
);
CREATE TRIGGER audit_mark_append_only BEFORE UPDATE OR DELETE ON audit_mark
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_mark_never_emptied BEFORE TRUNCATE ON audit_mark
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN
        REVOKE INSERT ON refund, award FROM app;
        GRANT INSERT (id, payment_id, kind, returned_goods_fen, back_fen, at) ON refund TO app;
        GRANT INSERT (id, campaign_id, window_id, person_id, entry_id, allotment_id, tier, rank, state, accept_until,
            awarded_at, ended_at) ON award TO app;
        GRANT SELECT, INSERT ON audit_mark TO app;
    END IF;
END $$;
