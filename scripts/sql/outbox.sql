-- An outbox beside the tables engagement_events and content: what is written there is written here, in the same
-- transaction, and capture reads this table instead of those (capture.source=outbox).
--
--   psql --set ON_ERROR_STOP=1 --file scripts/sql/outbox.sql postgresql://owner@host/database
--
-- Run it once, as the owner of both tables. Writers of both wait until it has committed, for as long as writing each
-- content once takes. Then, for the role that captures (here capturer):
--
--   ALTER ROLE capturer REPLICATION;
--   GRANT SELECT ON outbox_events TO capturer;              -- with capture.outbox.purge=true also DELETE
--   GRANT SELECT, INSERT, UPDATE ON engagement_heartbeat TO capturer;
BEGIN;

-- The schema of both tables; what others have put into a temporary schema comes last.
SET LOCAL search_path = public, pg_temp;

CREATE TABLE outbox_events (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  aggregatetype TEXT NOT NULL,
  aggregateid TEXT NOT NULL,
  type TEXT NOT NULL,
  payload JSONB,
  -- Not now(), the time at which the transaction began: of two changes of one content the later must say so.
  created_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);

-- Triggers of statements, as one for each row would cost a statement for each. With the rights of the owner, so that
-- whoever writes the tables needs none on the outbox.
CREATE FUNCTION outbox_of_engagement_events() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO outbox_events (aggregatetype, aggregateid, type, payload)
    SELECT 'engagement_event', r.id::text, 'created', to_jsonb(r) FROM new_rows AS r;
  RETURN NULL;
END $$;

CREATE FUNCTION outbox_of_content() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO outbox_events (aggregatetype, aggregateid, type, payload)
      SELECT 'content', r.id::text, 'deleted', jsonb_build_object('id', r.id) FROM old_rows AS r;
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    -- What has another id now is another content.
    INSERT INTO outbox_events (aggregatetype, aggregateid, type, payload)
      SELECT 'content', r.id::text, 'deleted', jsonb_build_object('id', r.id) FROM old_rows AS r
      WHERE NOT EXISTS (SELECT FROM new_rows AS n WHERE n.id = r.id);
  END IF;
  INSERT INTO outbox_events (aggregatetype, aggregateid, type, payload)
    SELECT 'content', r.id::text, CASE TG_OP WHEN 'INSERT' THEN 'created' ELSE 'updated' END, to_jsonb(r)
    FROM new_rows AS r;
  RETURN NULL;
END $$;

CREATE TRIGGER outbox_after_insert AFTER INSERT ON engagement_events
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION outbox_of_engagement_events();
CREATE TRIGGER outbox_after_insert AFTER INSERT ON content
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION outbox_of_content();
CREATE TRIGGER outbox_after_update AFTER UPDATE ON content
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION outbox_of_content();
CREATE TRIGGER outbox_after_delete AFTER DELETE ON content
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION outbox_of_content();

-- The contents that were there before; the triggers let nobody change one in between. Events that were there before are
-- not needed: who wants them reads them by backfill, which needs SELECT on the tables.
INSERT INTO outbox_events (aggregatetype, aggregateid, type, payload)
  SELECT 'content', r.id::text, 'created', to_jsonb(r) FROM content AS r;

-- Without it a quiet outbox beside busy tables would keep their log for the slot.
CREATE TABLE IF NOT EXISTS engagement_heartbeat (
  id INT PRIMARY KEY,
  beat_at TIMESTAMPTZ NOT NULL
);

CREATE PUBLICATION engagement_outbox FOR TABLE outbox_events, engagement_heartbeat;

COMMIT;
