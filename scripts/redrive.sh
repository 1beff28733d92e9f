#!/usr/bin/env bash
# Puts dead letters of the running local stack back where they belong; what flink run … redrive does elsewhere.
#
#   scripts/redrive.sh --reason UNRESOLVED --dry-run
#   scripts/redrive.sh --reason INVALID,UNDECODABLE --from 2026-01-08T09:00:00Z --to 2026-01-08T10:00:00Z
#   scripts/redrive.sh --reason REJECTED --event-id 4711
#
#   --reason LIST   UNDECODABLE, INVALID, OVERSIZE, UNRESOLVED, UNDELIVERABLE, REJECTED, CONFLICT; comma separated
#   --from, --to    only letters that failed in this range, --to not included
#   --event-id ID   only letters of this event
#   --limit N       put back N letters at most
#   --dry-run       say what would be put back, and write nothing
#   --again         also those that were put back before
#   any other option of redrive: scripts/redrive.sh --options lists them
#
# Reads target/local/endpoints.properties, which scripts/local.sh writes. Exit codes: 0 all are back, 1 some could not be
# put back, or it was given up, 2 it was asked wrongly.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf '%s\n' "$*" >&2
  exit 2
}

for argument in "$@"; do
  if [[ $argument == --help || $argument == -h ]]; then
    sed -n '2,/^set -e/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
  fi
done
[[ $# -gt 0 ]] || fail "Say which letters: --reason LIST. --help explains."
[[ $1 != --options ]] || set -- --help

exec scripts/lib/on-stack.sh redrive "$@"
