#!/bin/sh
# Redis with a password and an append-only file. The configuration comes by standard input: an argument would show the
# password to whoever lists processes, and Docker.
set -eu

: "${REDISCLI_AUTH:?the password, REDIS_PASSWORD in .env}"
password=$(printf '%s' "$REDISCLI_AUTH" | sed 's/[\\"]/\\&/g')
exec redis-server - <<CONF
requirepass "$password"
port ${REDIS_PORT:-6379}
dir "${REDIS_DIRECTORY:-/data}"
appendonly yes
appendfsync everysec
save ""
maxmemory ${REDIS_MAX_MEMORY:-1gb}
# The live view is told, and writes again what did not fit; evicted keys nobody would miss.
maxmemory-policy noeviction
CONF
