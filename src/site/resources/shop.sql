-- A shop's tables, as capture reads them with shop.properties. The names of the columns are those that capture knows.
CREATE SCHEMA shop;

-- One row for each product. A product has no playing time.
CREATE TABLE shop.products (
  id TEXT PRIMARY KEY,
  slug TEXT UNIQUE NOT NULL,
  title TEXT NOT NULL,
  content_type TEXT,
  length_seconds INTEGER,
  publish_ts TIMESTAMPTZ NOT NULL
);

-- One row for each event; an event of the whole shop, such as a purchase of several products, is of no product.
CREATE TABLE shop.events (
  id BIGSERIAL PRIMARY KEY,
  content_id TEXT REFERENCES shop.products (id),
  user_id TEXT,
  event_type TEXT NOT NULL CHECK (event_type IN ('product_view', 'add_to_cart', 'purchase')),
  event_ts TIMESTAMPTZ NOT NULL,
  duration_ms INTEGER CHECK (duration_ms >= 0),
  device TEXT,
  raw_payload JSONB
);
CREATE INDEX ON shop.events (event_ts, id);

CREATE TABLE shop.heartbeat (
  id INT PRIMARY KEY,
  beat_at TIMESTAMPTZ NOT NULL
);

CREATE PUBLICATION shop_publication FOR TABLE shop.products, shop.events, shop.heartbeat;
