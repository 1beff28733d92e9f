#!/usr/bin/env bash
# Puts dead letters of the running local stack back where they belong; what flink run … redrive does elsewhere.
#
#   scripts/redrive.sh --reason UNRESOLVED --dry-run
#   scripts/redrive.sh --reason INVALID,UNDECODABLE --from 2026-01-08T09:00:00Z --to 2026-01-08T10:00:00Z
#   scripts/redrive.sh --reason REJECTED --event-id 4711
#
#   --reason LIST   UNDECODABLE, INVALID, OVERSIZE, UNRESOLVED, UNDELIVERABLE, REJECTED; comma separated
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
  -Dlog.file=target/local/redrive.log \
  -Dlog4j2.configurationFile=dev/engagement/local/log4j2-local.properties \
  -cp "target/classes:$(<target/classpath.txt)" \
  dev.engagement.EngagementJob redrive \
  --kafka.bootstrap-servers "$kafka" \
  --postgres.url "$postgres_url" --postgres.username "$postgres_username" \
  --warehouse.project "$project" --warehouse.endpoint "$rest" --warehouse.grpc-endpoint "http://$grpc" \
  --warehouse.partition HOUR --warehouse.partition-expiration '90 d' "$@"
