-- Seals: rows of the books know the transaction that wrote them, and blocks hold their digests. See docs/seals.md.

-- The number of the writing transaction. A database that was restored into another server, whose numbers are lower,
-- gets a body that adds to them (campaigns/store/seal_numbers.py): the numbers of one database only grow.
CREATE FUNCTION row_tx() RETURNS xid8 LANGUAGE sql STABLE RETURN pg_current_xact_id();

-- Every transaction with a lower number has ended, and no new one can get such a number.
CREATE FUNCTION settled_tx() RETURNS xid8 LANGUAGE sql STABLE RETURN pg_snapshot_xmin(pg_current_snapshot());

ALTER TABLE transfer ADD COLUMN tx xid8 NOT NULL DEFAULT row_tx();
ALTER TABLE voucher ADD COLUMN tx xid8 NOT NULL DEFAULT row_tx();
ALTER TABLE audit ADD COLUMN tx xid8 NOT NULL DEFAULT row_tx();
CREATE INDEX transfer_tx ON transfer (tx);
CREATE INDEX voucher_tx ON voucher (tx);
CREATE INDEX audit_tx ON audit (tx);

-- A trigger on named columns costs the payments nothing: they never name one.
CREATE FUNCTION refuse_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what a voucher is, whose and of which terms never changes' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER voucher_fixed BEFORE UPDATE OF id, campaign_id, person_id, allotment_id, operator_id, terms_version_id,
    face_fen, granted_at, expires_at, tx ON voucher FOR EACH ROW EXECUTE FUNCTION refuse_fixed();
CREATE TRIGGER voucher_never_deleted BEFORE DELETE ON voucher FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER voucher_never_emptied BEFORE TRUNCATE ON voucher
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A block holds the rows of the transactions from_tx <= tx < upto_tx. head is the SHA-256 of header, whose text
-- names the head before it; from_tx and upto_tx stand in it too.
CREATE TABLE seal_block (
    number integer PRIMARY KEY CHECK (number >= 1),
    from_tx xid8 NOT NULL,
    upto_tx xid8 NOT NULL,
    header text NOT NULL,
    head bytea NOT NULL UNIQUE CHECK (length(head) = 32),
    CONSTRAINT seal_block_range CHECK (from_tx < upto_tx)
);

-- The rows of one kind in one block, by key: key and digest of each, one after the other.
CREATE TABLE seal_list (
    number integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('transfer', 'voucher', 'audit', 'payment', 'refund')),
    leaves bytea NOT NULL,
    PRIMARY KEY (number, kind)
);
ALTER TABLE seal_list ALTER COLUMN leaves SET STORAGE EXTERNAL; -- digests do not compress

CREATE TRIGGER seal_block_append_only BEFORE UPDATE OR DELETE ON seal_block
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER seal_block_never_emptied BEFORE TRUNCATE ON seal_block
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER seal_list_append_only BEFORE UPDATE OR DELETE ON seal_list
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER seal_list_never_emptied BEFORE TRUNCATE ON seal_list
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- app names every column but tx, which is the database's alone.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN
        REVOKE INSERT ON transfer, voucher, audit FROM app;
        GRANT INSERT (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind, credit_id,
            amount_fen, at) ON transfer TO app;
        GRANT INSERT (id, campaign_id, person_id, allotment_id, operator_id, terms_version_id, face_fen, balance_fen,
            held_fen, captured_fen, refunded_fen, taken_back_fen, uses, state, granted_at, expires_at) ON voucher TO app;
        GRANT INSERT (at, real_at, programme_id, campaign_id, actor_kind, actor_id, action, subject_id, facts)
            ON audit TO app;
        GRANT SELECT, INSERT ON seal_block, seal_list TO app;
    END IF;
END $$;
