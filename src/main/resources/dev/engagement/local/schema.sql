-- The source tables, the heartbeat table and the publication of all three.
CREATE TABLE content (
  id UUID PRIMARY KEY,
  slug TEXT UNIQUE NOT NULL,
  title TEXT NOT NULL,
  content_type TEXT CHECK (content_type IN ('podcast', 'newsletter', 'video')),
  length_seconds INTEGER,
  publish_ts TIMESTAMPTZ NOT NULL
);
CREATE TABLE engagement_events (
  id BIGSERIAL PRIMARY KEY,
  content_id UUID REFERENCES content (id),
  user_id UUID,
  event_type TEXT CHECK (event_type IN ('play', 'pause', 'finish', 'click')),
  event_ts TIMESTAMPTZ NOT NULL,
  duration_ms INTEGER,
  device TEXT,
  raw_payload JSONB
);
CREATE TABLE engagement_heartbeat (
  id INT PRIMARY KEY,
  beat_at TIMESTAMPTZ NOT NULL
);
INSERT INTO engagement_heartbeat VALUES (1, now());
CREATE PUBLICATION engagement_publication
  FOR TABLE content, engagement_events, engagement_heartbeat;
