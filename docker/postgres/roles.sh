#!/usr/bin/env bash
# The roles of capture and of the load generator, with what each needs and no more. Runs once, behind the schema.
set -euo pipefail

psql --set=ON_ERROR_STOP=1 --no-psqlrc --quiet --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
-- By psql and not by the shell: it quotes, and no argument shows a password.
\getenv capture_password CAPTURE_PASSWORD
\getenv generator_password GENERATOR_PASSWORD
CREATE ROLE capture LOGIN REPLICATION PASSWORD :'capture_password';
GRANT SELECT ON content, engagement_events TO capture;
GRANT SELECT, INSERT, UPDATE ON engagement_heartbeat TO capture;
CREATE ROLE generator LOGIN PASSWORD :'generator_password';
GRANT SELECT, INSERT, UPDATE ON content TO generator;
GRANT SELECT, INSERT ON engagement_events TO generator;
GRANT USAGE ON SEQUENCE engagement_events_id_seq TO generator;
SQL
