#!/usr/bin/env bash
# The roles of capture, of the load generator, of rollups and of the API, with what each needs and no more, and the
# database that rollups are kept in. Runs once, behind the schema.
set -euo pipefail

psql --set=ON_ERROR_STOP=1 --no-psqlrc --quiet --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
-- By psql and not by the shell: it quotes, and no argument shows a password.
\getenv capture_password CAPTURE_PASSWORD
\getenv generator_password GENERATOR_PASSWORD
\getenv rollup_password ROLLUP_PASSWORD
\getenv api_password API_PASSWORD
CREATE ROLE capture LOGIN REPLICATION PASSWORD :'capture_password';
GRANT SELECT ON content, engagement_events TO capture;
GRANT SELECT, INSERT, UPDATE ON engagement_heartbeat TO capture;
CREATE ROLE generator LOGIN PASSWORD :'generator_password';
GRANT SELECT, INSERT, UPDATE ON content TO generator;
GRANT SELECT, INSERT ON engagement_events TO generator;
GRANT USAGE ON SEQUENCE engagement_events_id_seq TO generator;
CREATE ROLE rollups LOGIN PASSWORD :'rollup_password';
CREATE DATABASE analytics OWNER rollups;
CREATE ROLE api LOGIN PASSWORD :'api_password';
GRANT SELECT ON content TO api;
GRANT SELECT, INSERT ON engagement_events TO api;
GRANT USAGE ON SEQUENCE engagement_events_id_seq TO api;
-- It makes the table in which it remembers what was sent.
GRANT CREATE ON SCHEMA public TO api;
\connect analytics
-- Of tables that the job is yet to make.
ALTER DEFAULT PRIVILEGES FOR ROLE rollups GRANT SELECT ON TABLES TO api;
SQL
