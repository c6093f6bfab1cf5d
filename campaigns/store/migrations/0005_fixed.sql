-- What never changes of a voucher is kept by statement, not by row: a row trigger fetches and locks each row again
-- before PostgreSQL looks whether its columns are named, a third of a microsecond of every payment (tried).

DROP TRIGGER voucher_fixed ON voucher;
DROP TRIGGER voucher_never_deleted ON voucher;
CREATE TRIGGER voucher_fixed BEFORE UPDATE OF id, campaign_id, person_id, allotment_id, operator_id, terms_version_id,
    face_fen, granted_at, expires_at, tx ON voucher FOR EACH STATEMENT EXECUTE FUNCTION refuse_fixed();
CREATE TRIGGER voucher_never_deleted BEFORE DELETE ON voucher FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
