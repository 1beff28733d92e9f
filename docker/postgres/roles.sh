#!/usr/bin/env bash
# The roles of capture, of the load generator and of rollups, with what each needs and no more, and the database that
# rollups are kept in. Runs once, behind the schema.
set -euo pipefail

psql --set=ON_ERROR_STOP=1 --no-psqlrc --quiet --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
-- By psql and not by the shell: it quotes, and no argument shows a password.
\getenv capture_password CAPTURE_PASSWORD
\getenv generator_password GENERATOR_PASSWORD
\getenv rollup_password ROLLUP_PASSWORD
CREATE ROLE capture LOGIN REPLICATION PASSWORD :'capture_password';
GRANT SELECT ON content, engagement_events TO capture;
GRANT SELECT, INSERT, UPDATE ON engagement_heartbeat TO capture;
CREATE ROLE generator LOGIN PASSWORD :'generator_password';
GRANT SELECT, INSERT, UPDATE ON content TO generator;
GRANT SELECT, INSERT ON engagement_events TO generator;
GRANT USAGE ON SEQUENCE engagement_events_id_seq TO generator;
CREATE ROLE rollups LOGIN PASSWORD :'rollup_password';
CREATE DATABASE analytics OWNER rollups;
SQL
