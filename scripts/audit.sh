#!/usr/bin/env bash
# Whether every destination of the running local stack holds what its PostgreSQL holds; what flink run … audit does
# elsewhere.
#
#   scripts/audit.sh
#   scripts/audit.sh --from 2026-01-08T09:00:00Z --to 2026-01-08T10:00:00Z --repair
#   scripts/audit.sh --rollups
#   scripts/audit.sh --json
#
#   --from, --to    first event_ts and end of event_ts (default: the last hour)
#   --json          one line of JSON instead of a table
#   --counts        also the live view's counts of all time (always given here: the stack's table is small)
#   --rollups       also the rollups' tables; with names (--rollups hourly,audience) only theirs
#   --dry-run       say what it costs, and compare nothing
#   --repair        also the commands that mend what differs; nothing is changed
#   any other option of audit: scripts/audit.sh --options lists them
#
# Reads target/local/endpoints.properties, which scripts/local.sh writes. What differs is looked at again after a minute
# (--audit.settle). Exit codes: 0 all are equal, 1 something differs, 2 it was asked wrongly, or a store does not answer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

from=(--from "$(date -u -d '1 hour ago' +%Y-%m-%dT%H:%M:%SZ)")
to=(--to "$(date -u +%Y-%m-%dT%H:%M:%SZ)")
counts=(--counts)
for argument in "$@"; do
  case $argument in
    --help | -h)
      sed -n '2,/^set -e/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --from | --from=*) from=() ;;
    --to | --to=*) to=() ;;
    --counts | --counts=*) counts=() ;;
  esac
done
if [[ ${1:-} == --options ]]; then
  set -- --help
  counts=()
fi

exec scripts/lib/on-stack.sh audit "${from[@]}" "${to[@]}" "${counts[@]}" "$@"
