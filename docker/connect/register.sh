#!/usr/bin/env bash
# Creates a connector, or gives it its new configuration: register.sh HOST:PORT NAME FILE
set -euo pipefail

if [[ $# -ne 3 ]]; then
  printf 'Usage: register.sh HOST:PORT NAME FILE\n' >&2
  exit 2
fi
host=${1%:*}
body=$(<"$3")
# Bytes, and not characters.
length=$(printf '%s' "$body" | wc -c)
exec 3<>"/dev/tcp/$host/${1##*:}"
printf 'PUT /connectors/%s/config HTTP/1.0\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %s\r\n\r\n%s' \
  "$2" "$1" "$length" "$body" >&3
answer=$(cat <&3)
status=${answer#* }
status=${status%% *}
if [[ $status != 200 && $status != 201 ]]; then
  printf 'Kafka Connect at %s refuses the connector %s:\n%s\n' "$1" "$2" "$answer" >&2
  exit 1
fi
printf 'connector %s is registered\n' "$2"
