-- The tables that move value: plain SQL with their checks, uniques and triggers, and no model.
-- Time: campaign_now() is the only clock a rule may ask; clock_timestamp() serves leases and retention.

CREATE SEQUENCE campaign_seq AS integer;
ALTER TABLE campaign ALTER COLUMN seq SET DEFAULT nextval('campaign_seq');
ALTER TABLE campaign ADD CONSTRAINT campaign_four_eyes CHECK (approver_id IS DISTINCT FROM author_id);
ALTER TABLE campaign ADD CONSTRAINT campaign_approved CHECK (
    approver_id IS NOT NULL OR state IN ('draft', 'submitted'));
ALTER TABLE campaign ADD CONSTRAINT campaign_state CHECK (
    state IN ('draft', 'submitted', 'approved', 'published', 'paused', 'suspended', 'closed'));
ALTER TABLE api_key ADD CONSTRAINT api_key_digest UNIQUE (digest);
ALTER TABLE person_proof ADD CONSTRAINT person_proof_once UNIQUE (programme_id, kind, hmac);
ALTER TABLE token ADD CONSTRAINT token_once UNIQUE (kind, hmac);
ALTER TABLE entry ADD CONSTRAINT entry_code_once UNIQUE (campaign_id, code);
ALTER TABLE entry ADD CONSTRAINT entry_log_once UNIQUE (campaign_id, log_index);
ALTER TABLE entry ADD CONSTRAINT entry_tickets CHECK (tickets BETWEEN 1 AND 100);
CREATE INDEX person_proof_person ON person_proof (person_id);

-- Time -----------------------------------------------------------------------------------------------

CREATE TABLE clock (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    mode text NOT NULL CHECK (mode IN ('production', 'demo', 'test')),
    shift interval NOT NULL DEFAULT '0',
    CONSTRAINT clock_production_is_real CHECK (mode <> 'production' OR shift = '0')
);

CREATE FUNCTION clock_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.mode <> OLD.mode THEN
        RAISE EXCEPTION 'the mode of a database never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.shift < OLD.shift THEN
        RAISE EXCEPTION 'campaign time never goes back' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER clock_only_grows BEFORE UPDATE ON clock FOR EACH ROW EXECUTE FUNCTION clock_only_grows();

CREATE FUNCTION campaign_now() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS 'SELECT clock_timestamp() + shift FROM clock';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

-- Ledger ---------------------------------------------------------------------------------------------
-- An account is (campaign, kind, holder): holder is a funder, an operator or a merchant.

CREATE TYPE account_kind AS ENUM ('funder', 'escrow', 'outstanding', 'held', 'payable', 'paid', 'returned');
CREATE TYPE transfer_kind AS ENUM (
    'fund', 'grant', 'authorize', 'capture', 'release', 'redeem', 'void', 'hold_expiry',
    'refund', 'undo', 'expire', 'pay_out', 'bank_return', 'close');

CREATE TABLE transfer (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    cause_id uuid NOT NULL,
    kind transfer_kind NOT NULL,
    line smallint NOT NULL,
    campaign_id uuid NOT NULL,
    operator_id uuid NOT NULL,
    debit_kind account_kind NOT NULL,
    debit_id uuid NOT NULL,
    credit_kind account_kind NOT NULL,
    credit_id uuid NOT NULL,
    amount_fen bigint NOT NULL CHECK (amount_fen > 0),
    at timestamptz NOT NULL,
    PRIMARY KEY (cause_id, kind, line)
);
CREATE INDEX transfer_campaign ON transfer (campaign_id, seq);
CREATE INDEX transfer_returned ON transfer (campaign_id, credit_id) WHERE credit_kind = 'returned';
CREATE INDEX transfer_paid ON transfer (credit_id) WHERE credit_kind = 'paid';
CREATE INDEX transfer_unpaid ON transfer (debit_id) WHERE debit_kind = 'paid';
CREATE TRIGGER transfer_append_only BEFORE UPDATE OR DELETE ON transfer
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transfer_never_emptied BEFORE TRUNCATE ON transfer
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE funding (
    id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaign,
    funder_id uuid NOT NULL REFERENCES funder,
    operator_id uuid NOT NULL REFERENCES operator,
    amount_fen bigint NOT NULL CHECK (amount_fen > 0),
    at timestamptz NOT NULL
);
CREATE INDEX funding_campaign ON funding (campaign_id);

CREATE TABLE terms_change (
    id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaign,
    source text NOT NULL,
    author_id uuid NOT NULL REFERENCES staff,
    approver_id uuid REFERENCES staff,
    version integer,
    proposed_at timestamptz NOT NULL,
    approved_at timestamptz,
    CONSTRAINT terms_change_four_eyes CHECK (approver_id IS DISTINCT FROM author_id),
    CONSTRAINT terms_change_approved CHECK ((approver_id IS NULL) = (version IS NULL)
        AND (approver_id IS NULL) = (approved_at IS NULL))
);
CREATE INDEX terms_change_campaign ON terms_change (campaign_id);

-- Issuing --------------------------------------------------------------------------------------------

CREATE TABLE issue_window (
    id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaign,
    kind text NOT NULL CHECK (kind IN ('draw', 'list', 'rush')),
    number smallint NOT NULL,
    UNIQUE (campaign_id, number)
);

CREATE TABLE allotment (
    id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL,
    window_id uuid NOT NULL,
    tier smallint NOT NULL,
    operator_id uuid NOT NULL,
    face_fen bigint NOT NULL CHECK (face_fen BETWEEN 1 AND 100000000),
    state text NOT NULL DEFAULT 'free' CHECK (state IN ('free', 'awarded', 'granted'))
);
CREATE INDEX allotment_take ON allotment (campaign_id, window_id, tier, state);

CREATE TABLE turn (
    campaign_id uuid NOT NULL,
    window_id uuid NOT NULL,
    person_id uuid NOT NULL,
    n smallint NOT NULL CHECK (n >= 1),
    PRIMARY KEY (campaign_id, window_id, person_id, n)
);

CREATE TABLE award (
    id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL,
    window_id uuid NOT NULL,
    person_id uuid NOT NULL,
    entry_id uuid,
    allotment_id uuid NOT NULL,
    tier smallint NOT NULL,
    rank integer NOT NULL,
    state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'granted', 'lapsed', 'declined')),
    accept_until timestamptz NOT NULL,
    awarded_at timestamptz NOT NULL,
    ended_at timestamptz,
    CHECK ((state = 'live') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX award_live_allotment ON award (campaign_id, allotment_id) WHERE state = 'live';
CREATE UNIQUE INDEX award_once ON award (campaign_id, window_id, person_id);
CREATE INDEX award_person ON award (person_id);
CREATE INDEX award_lapse ON award (accept_until) WHERE state = 'live';

CREATE TABLE voucher (
    id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL,
    person_id uuid NOT NULL,
    allotment_id uuid NOT NULL,
    operator_id uuid NOT NULL,
    terms_version_id bigint NOT NULL,
    face_fen bigint NOT NULL CHECK (face_fen > 0),
    balance_fen bigint NOT NULL CHECK (balance_fen >= 0),
    held_fen bigint NOT NULL DEFAULT 0 CHECK (held_fen >= 0),
    captured_fen bigint NOT NULL DEFAULT 0 CHECK (captured_fen >= 0),
    refunded_fen bigint NOT NULL DEFAULT 0 CHECK (refunded_fen >= 0),
    taken_back_fen bigint NOT NULL DEFAULT 0 CHECK (taken_back_fen >= 0),
    uses integer NOT NULL DEFAULT 0 CHECK (uses >= 0),
    state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'expired')),
    granted_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT voucher_balanced CHECK (
        balance_fen + held_fen + captured_fen - refunded_fen + taken_back_fen = face_fen),
    CONSTRAINT voucher_refunds CHECK (refunded_fen <= captured_fen)
);
CREATE UNIQUE INDEX voucher_allotment ON voucher (campaign_id, allotment_id);
CREATE INDEX voucher_person ON voucher (person_id, id);
CREATE INDEX voucher_expiry ON voucher (expires_at) WHERE state = 'live';
CREATE INDEX voucher_campaign ON voucher (campaign_id);

-- Paying ---------------------------------------------------------------------------------------------

CREATE TABLE payment (
    id uuid PRIMARY KEY,
    programme_id uuid NOT NULL,
    person_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    store_id uuid NOT NULL,
    terminal_id uuid NOT NULL,
    code_id uuid,
    basket_fen bigint NOT NULL CHECK (basket_fen BETWEEN 1 AND 100000000),
    purchase jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('held', 'captured', 'voided', 'expired', 'undone')),
    subsidy_fen bigint NOT NULL CHECK (subsidy_fen > 0 AND subsidy_fen <= basket_fen),
    captured_basket_fen bigint,
    captured_fen bigint NOT NULL DEFAULT 0 CHECK (captured_fen BETWEEN 0 AND subsidy_fen),
    returned_goods_fen bigint NOT NULL DEFAULT 0,
    refunded_fen bigint NOT NULL DEFAULT 0,
    gone_items jsonb NOT NULL DEFAULT '[]',
    undo_asked_at timestamptz,
    authorized_at timestamptz NOT NULL,
    hold_until timestamptz NOT NULL,
    captured_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT payment_captured CHECK ((state IN ('captured', 'undone')) = (captured_at IS NOT NULL)),
    CONSTRAINT payment_refunds CHECK (refunded_fen BETWEEN 0 AND captured_fen),
    CONSTRAINT payment_goods CHECK (
        returned_goods_fen BETWEEN 0 AND coalesce(captured_basket_fen, 0)
        AND captured_basket_fen BETWEEN 1 AND basket_fen)
);
CREATE UNIQUE INDEX payment_code ON payment (code_id) WHERE code_id IS NOT NULL;
CREATE INDEX payment_hold ON payment (hold_until) WHERE state = 'held';
CREATE INDEX payment_pending ON payment (merchant_id, id) WHERE state = 'held';
CREATE INDEX payment_merchant ON payment (merchant_id, id);
CREATE INDEX payment_person ON payment (person_id, id);

CREATE TABLE payment_line (
    payment_id uuid NOT NULL,
    line smallint NOT NULL,
    voucher_id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    operator_id uuid NOT NULL,
    terms_version_id bigint NOT NULL,
    eligible_fen bigint NOT NULL,
    available_fen bigint NOT NULL,
    authorized_fen bigint NOT NULL CHECK (authorized_fen > 0),
    held_fen bigint NOT NULL CHECK (held_fen >= 0),
    captured_fen bigint NOT NULL DEFAULT 0 CHECK (captured_fen BETWEEN 0 AND authorized_fen),
    refunded_fen bigint NOT NULL DEFAULT 0 CHECK (refunded_fen BETWEEN 0 AND captured_fen),
    PRIMARY KEY (payment_id, line),
    CHECK (held_fen + captured_fen <= authorized_fen)
);
CREATE INDEX payment_line_voucher ON payment_line (voucher_id);
CREATE INDEX payment_line_campaign ON payment_line (campaign_id);

CREATE TABLE refund (
    id uuid PRIMARY KEY,
    payment_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('refund', 'undo')),
    returned_goods_fen bigint NOT NULL CHECK (returned_goods_fen > 0),
    back_fen bigint NOT NULL CHECK (back_fen >= 0),
    at timestamptz NOT NULL
);
CREATE INDEX refund_authorization ON refund (payment_id);

CREATE TABLE usage_counter (
    campaign_id uuid NOT NULL,
    cap smallint NOT NULL,
    bucket date NOT NULL,
    person_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    uses integer NOT NULL DEFAULT 0 CHECK (uses >= 0),
    amount_fen bigint NOT NULL DEFAULT 0 CHECK (amount_fen >= 0),
    PRIMARY KEY (campaign_id, cap, bucket, person_id, merchant_id)
);

CREATE TABLE announcement (
    id uuid PRIMARY KEY,
    terminal_id uuid NOT NULL,
    amount_fen bigint NOT NULL CHECK (amount_fen BETWEEN 1 AND 100000000),
    at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    payment_id uuid
);
CREATE INDEX announcement_terminal ON announcement (terminal_id, at);

CREATE TABLE refusal (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    action text NOT NULL,
    code text NOT NULL,
    campaign_id uuid,
    person_id uuid,
    merchant_id uuid,
    terminal_id uuid,
    facts jsonb NOT NULL
);
CREATE INDEX refusal_campaign ON refusal (campaign_id);
CREATE INDEX refusal_person ON refusal (person_id, id) WHERE person_id IS NOT NULL;

-- Requests and acts ----------------------------------------------------------------------------------

CREATE TABLE idempotency (
    principal_id uuid NOT NULL,
    key_digest bytea NOT NULL CHECK (length(key_digest) = 16),
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 16),
    status smallint NOT NULL,
    body bytea NOT NULL,
    effect boolean NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (principal_id, key_digest)
);
CREATE INDEX idempotency_retention ON idempotency USING brin (at);

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    real_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    programme_id uuid NOT NULL,
    campaign_id uuid,
    actor_kind text NOT NULL,
    actor_id uuid NOT NULL,
    action text NOT NULL,
    subject_id uuid,
    facts jsonb NOT NULL
);
CREATE INDEX audit_programme ON audit (programme_id, id);
CREATE INDEX audit_campaign ON audit (campaign_id, id);
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_never_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The draw -------------------------------------------------------------------------------------------

CREATE TABLE draw (
    id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaign,
    window_id uuid NOT NULL REFERENCES issue_window,
    name text NOT NULL UNIQUE,
    round smallint NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'frozen', 'drawn', 'awarded')),
    committed_at timestamptz,
    drawn_at timestamptz,
    seed bytea,
    UNIQUE (campaign_id, round),
    CHECK ((state = 'open') = (committed_at IS NULL)),
    CHECK ((state IN ('drawn', 'awarded')) = (seed IS NOT NULL))
);

CREATE TABLE draw_source (
    draw_id uuid NOT NULL REFERENCES draw,
    number smallint NOT NULL,
    kind text NOT NULL,
    spec text NOT NULL,
    due timestamptz NOT NULL,
    secret_sealed bytea,
    value text,
    evidence text,  -- of a beacon: the signature its value was verified by
    received_at timestamptz,
    PRIMARY KEY (draw_id, number)
);

CREATE TABLE draw_file (
    draw_id uuid NOT NULL REFERENCES draw,
    name text NOT NULL,
    content bytea NOT NULL CHECK (length(content) <= 1073741823),
    PRIMARY KEY (draw_id, name)
);

CREATE TABLE waitlist (
    draw_id uuid NOT NULL REFERENCES draw,
    rank integer NOT NULL,
    entry_id uuid NOT NULL,
    person_id uuid NOT NULL,
    stratum text NOT NULL,
    taken_at timestamptz,
    skip_reason text,
    PRIMARY KEY (draw_id, rank)
);

-- Who was passed over or gave a place up, in order: skips.csv.
CREATE TABLE skip (
    draw_id uuid NOT NULL REFERENCES draw,
    rank integer NOT NULL,
    entry_code text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (draw_id, rank)
);

-- Roles ----------------------------------------------------------------------------------------------
-- app runs the service, sweeper ends the retention of request keys; the owner migrates. What a voucher is
-- worth and whose it is never changes, so app may update its moving columns only.

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN
        GRANT USAGE ON SCHEMA public TO app;
        GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO app;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app;
        GRANT UPDATE ON campaign, api_key, staff, merchant, store, terminal, token, wallet, entry, allotment,
            award, payment, payment_line, usage_counter, announcement, draw, draw_source,
            waitlist, terms_change TO app;
        REVOKE INSERT ON clock, tortoise_migrations FROM app;
        GRANT UPDATE (shift) ON clock TO app;
        GRANT UPDATE (balance_fen, held_fen, captured_fen, refunded_fen, taken_back_fen, uses, state)
            ON voucher TO app;
        GRANT DELETE ON person_proof, token, wallet TO app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sweeper') THEN
        GRANT USAGE ON SCHEMA public TO sweeper;
        GRANT SELECT, DELETE ON idempotency TO sweeper;
    END IF;
END $$;
