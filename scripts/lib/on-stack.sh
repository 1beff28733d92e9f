#!/usr/bin/env bash
# A command of the job beside the running local stack, as scripts/audit.sh, backfill.sh and redrive.sh run it.
#
#   scripts/lib/on-stack.sh audit|backfill|redrive [--KEY VALUE …]
#
# Says where the servers of the stack are, from target/local/endpoints.properties, which scripts/local.sh writes; the
# password goes by the environment. Exit codes: those of the command; 2 if there is no stack.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() {
  printf '%s\n' "$*" >&2
  exit 2
}

case ${1:-} in
  audit | backfill | redrive) ;;
  --help | -h)
    sed -n '2,/^set -e/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  *) fail "Say which command: audit, backfill or redrive. --help explains." ;;
esac
command=$1
shift

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

# What only some commands take.
if [[ $command != audit ]]; then
  its=(--warehouse.partition HOUR --warehouse.partition-expiration '90 d')
elif grep -q '^delivery\.receipts=true$' "$endpoints"; then
  its=(--redis.url "$redis" --destinations 'liveview,warehouse,delivery' --delivery.receipts true
    --delivery.include-snapshot true)
else
  its=(--redis.url "$redis" --destinations 'liveview,warehouse')
fi

# Of a stack that says nothing of it they are numbers.
event_id=$(sed -n 's/^ingest\.event-id=//p' "$endpoints")
its+=(--ingest.event-id "${event_id:-long}")

if [[ $command != redrive ]]; then
  analytics=$(of analytics.url)
  its+=(--rollup.postgres.url "$analytics" --rollup.postgres.username "$postgres_username")
  export ENGAGEMENT_ROLLUP_POSTGRES_PASSWORD=$ENGAGEMENT_POSTGRES_PASSWORD
fi

mapfile -t archive_options < <(scripts/lib/class-archive.sh options "$java")

# Java finds files with letters beyond ASCII only in a locale that has them.
[[ $(locale charmap 2>/dev/null) == UTF-8 ]] || export LC_ALL=C.UTF-8

mkdir -p target/local/tmp
exec "$java" -Xmx512m -XX:TieredStopAtLevel=1 -Dfile.encoding=UTF-8 "${archive_options[@]}" \
  -Djava.io.tmpdir="$PWD/target/local/tmp" \
  -Dlog.file="target/local/$command.log" \
  -Dlog4j2.configurationFile=dev/engagement/local/log4j2-local.properties \
  -cp "$(<target/classpath.txt):target/classes" \
  dev.engagement.EngagementJob "$command" \
  --kafka.bootstrap-servers "$kafka" \
  --postgres.url "$postgres_url" --postgres.username "$postgres_username" \
  --warehouse.project "$project" --warehouse.endpoint "$rest" --warehouse.grpc-endpoint "http://$grpc" \
  "${its[@]}" "$@"
