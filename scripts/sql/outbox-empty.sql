-- Keeps the outbox of outbox.sql empty: each row is removed by the transaction that writes it, and capture reads it from
-- the log all the same.
--
-- Rows that are not there cannot be read at a first start. So run it only once capture runs, or has a replication slot:
--
--   SELECT pg_create_logical_replication_slot('engagement_slot', 'pgoutput');
BEGIN;

SET LOCAL search_path = public, pg_temp;

CREATE FUNCTION outbox_stays_empty() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  DELETE FROM outbox_events AS o USING new_rows AS n WHERE o.id = n.id;
  RETURN NULL;
END $$;

CREATE TRIGGER outbox_after_insert AFTER INSERT ON outbox_events
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION outbox_stays_empty();

COMMIT;
