#!/usr/bin/env bash
# Publishes rows of the running local stack that the warehouse lacks; what flink run … backfill does elsewhere.
#
#   scripts/backfill.sh --dry-run
#   scripts/backfill.sh --from 2026-01-08T09:00:00Z --to 2026-01-08T10:00:00Z
#   scripts/backfill.sh --content-id 01890a5d-ac96-774b-bcce-b302099a8057
#
#   --from, --to      range of event_ts, --to not included (default: the last hour)
#   --content-id ID   events of one content only
#   --dry-run         count, and publish nothing
#   --all             every row of the range; dedupe decides
#   any other option of backfill: scripts/backfill.sh --options lists them
#
# Reads target/local/endpoints.properties, which scripts/local.sh writes. The last line is
# 'Backfill done. inserted=N skipped=M'. Exit codes: 0 the destinations have every row, 1 they have not, 2 it was asked
# wrongly.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf '%s\n' "$*" >&2
  exit 2
}

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

endpoints=target/local/endpoints.properties
[[ -f $endpoints ]] || fail "No local stack runs: there is no $endpoints; scripts/local.sh starts one"
[[ -d target/classes && -s target/classpath.txt ]] || fail "Nothing is built; scripts/local.sh builds and starts all"

of() {
  local value
  value=$(sed -n "s/^${1//./\\.}=//p" "$endpoints")
  [[ -n $value ]] || fail "$endpoints says nothing of $1; stop the stack and start it again"
  printf '%s' "$value"
}

java=${JAVA_HOME:+$JAVA_HOME/bin/java}
[[ -n $java ]] || java=$(command -v java) || fail "There is no java: install a JDK 17 and put it into PATH or JAVA_HOME"
[[ -x $java ]] || fail "JAVA_HOME is '$JAVA_HOME', which has no bin/java: point it to a JDK 17"

postgres_url=$(of postgres.url)
postgres_username=$(of postgres.username)
kafka=$(of kafka.bootstrap-servers)
rest=$(of bigquery.rest)
grpc=$(of bigquery.grpc)
project=$(of warehouse.project)
ENGAGEMENT_POSTGRES_PASSWORD=$(of postgres.password)
export ENGAGEMENT_POSTGRES_PASSWORD

mkdir -p target/local/tmp
exec "$java" -Xmx256m -XX:TieredStopAtLevel=1 -Dfile.encoding=UTF-8 \
  -Djava.io.tmpdir="$PWD/target/local/tmp" \
  -Dlog.file=target/local/backfill.log \
  -Dlog4j2.configurationFile=dev/engagement/local/log4j2-local.properties \
  -cp "target/classes:$(<target/classpath.txt)" \
  dev.engagement.EngagementJob backfill \
  --kafka.bootstrap-servers "$kafka" \
  --postgres.url "$postgres_url" --postgres.username "$postgres_username" \
  --warehouse.project "$project" --warehouse.endpoint "$rest" --warehouse.grpc-endpoint "http://$grpc" \
  --warehouse.partition HOUR --warehouse.partition-expiration '90 d' "${range[@]}" "$@"
