#!/usr/bin/env bash
# Whether every destination of the running local stack holds what its PostgreSQL holds; what flink run … audit does
# elsewhere.
#
#   scripts/audit.sh
#   scripts/audit.sh --from 2026-01-08T09:00:00Z --to 2026-01-08T10:00:00Z --repair
#   scripts/audit.sh --json
#
#   --from, --to    first event_ts and end of event_ts (default: the last hour)
#   --json          one line of JSON instead of a table
#   --repair        also the commands that mend what differs; nothing is changed
#   any other option of audit: scripts/audit.sh --options lists them
#
# Reads target/local/endpoints.properties, which scripts/local.sh writes. What differs is looked at again after a minute
# (--audit.settle). Exit codes: 0 all are equal, 1 something differs, 2 it was asked wrongly, or a store does not answer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf '%s\n' "$*" >&2
  exit 2
}

from=(--from "$(date -u -d '1 hour ago' +%Y-%m-%dT%H:%M:%SZ)")
to=(--to "$(date -u +%Y-%m-%dT%H:%M:%SZ)")
for argument in "$@"; do
  case $argument in
    --help | -h)
      sed -n '2,/^set -e/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --from | --from=*) from=() ;;
    --to | --to=*) to=() ;;
  esac
done
[[ ${1:-} != --options ]] || set -- --help

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
redis=$(of redis.url)
rest=$(of bigquery.rest)
grpc=$(of bigquery.grpc)
project=$(of warehouse.project)
ENGAGEMENT_POSTGRES_PASSWORD=$(of postgres.password)
export ENGAGEMENT_POSTGRES_PASSWORD
destinations=(--destinations 'liveview,warehouse')
if grep -q '^delivery\.receipts=true$' "$endpoints"; then
  destinations=(--destinations 'liveview,warehouse,delivery' --delivery.receipts true --delivery.include-snapshot true)
fi

mkdir -p target/local/tmp
exec "$java" -Xmx512m -XX:TieredStopAtLevel=1 -Dfile.encoding=UTF-8 \
  -Djava.io.tmpdir="$PWD/target/local/tmp" \
  -Dlog.file=target/local/audit.log \
  -Dlog4j2.configurationFile=dev/engagement/local/log4j2-local.properties \
  -cp "target/classes:$(<target/classpath.txt)" \
  dev.engagement.EngagementJob audit \
  --kafka.bootstrap-servers "$kafka" \
  --postgres.url "$postgres_url" --postgres.username "$postgres_username" \
  --redis.url "$redis" \
  --warehouse.project "$project" --warehouse.endpoint "$rest" --warehouse.grpc-endpoint "http://$grpc" \
  "${destinations[@]}" "${from[@]}" "${to[@]}" "$@"
