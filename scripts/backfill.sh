#!/usr/bin/env bash
# Publishes rows of the running local stack that the warehouse lacks, or computes cells of rollups anew; what
# flink run … backfill does elsewhere.
#
#   scripts/backfill.sh --dry-run
#   scripts/backfill.sh --from 2026-01-08T09:00:00Z --to 2026-01-08T10:00:00Z
#   scripts/backfill.sh --content-id 01890a5d-ac96-774b-bcce-b302099a8057
#   scripts/backfill.sh --rollups --from 2026-01-08T09:00:00Z --to 2026-01-08T10:00:00Z
#
#   --from, --to      range of event_ts, --to not included (default: the last hour)
#   --content-id ID   events of one content only
#   --dry-run         count, and publish nothing
#   --all             every row of the range; dedupe decides
#   --rollups         only the rollups: their cells of windows that begin in the range and that the stream is done with;
#                     with names (--rollups hourly,audience) only theirs
#   any other option of backfill: scripts/backfill.sh --options lists them
#
# Reads target/local/endpoints.properties, which scripts/local.sh writes. The last line is
# 'Backfill done. inserted=N skipped=M'. Exit codes: 0 the destinations have every row, 1 they have not, or windows were
# refused, 2 it was asked wrongly.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

from=true
to=true
for argument in "$@"; do
  case $argument in
    --help | -h)
      sed -n '2,/^set -e/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --from | --from=*) from=false ;;
    --to | --to=*) to=false ;;
  esac
done
range=()
if [[ ${1:-} == --options ]]; then
  set -- --help
else
  [[ $from == false ]] || range+=(--from "$(date -u -d '1 hour ago' +%Y-%m-%dT%H:%M:%SZ)")
  [[ $to == false ]] || range+=(--to "$(date -u +%Y-%m-%dT%H:%M:%SZ)")
fi

exec scripts/lib/on-stack.sh backfill "${range[@]}" "$@"
