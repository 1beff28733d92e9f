#!/usr/bin/env bash
# A job run, or replaced by its next version without losing what it knows: scripts/deploy.sh --help
set -euo pipefail
shopt -s inherit_errexit

usage() {
  cat <<'HELP'
Usage: scripts/deploy.sh [capture|stream] [OPTION…] [--KEY VALUE …]

The first time it runs the job (stream, if nothing is said). Later it compares the newest savepoint or checkpoint with the
new jar and its options, stops the job with a savepoint, compares again, and runs the new jar from it. If the new job
fails before it has completed a checkpoint, the old jar goes on from the same savepoint.

  --plan            only compares: of each operator with state, whether it would be restored, is new, would be dropped
                    or is incompatible, and which rollups are new, left out or defined otherwise; nothing is stopped
                    or made
  --allow-drop UID  the state of that operator may be dropped; once for each
  --jar FILE        the jar (default target/engagement-job.jar, built if it is missing or older than its sources);
                    that of an earlier deployment goes back to it
  --keep K          savepoints that stay (default 5); older ones are deleted, with their deployments
  --timeout S       seconds until a savepoint, or a new job's first checkpoint, has failed (default 180)
  --from PATH       of a job that does not run: the savepoint or checkpoint to go on from, instead of its newest
  --fresh           of a job that does not run: start it without state, although there is some
  --help            this text

All else is the job's: --parallelism N, --config FILE, and every key of engagement-reference.properties. Nothing is
remembered: what the last deployment was given has to be given again.

Without --config the servers of scripts/local.sh are used; if none run, they are started in the background, with a load
of 50 events a second, and capture is deployed to them before stream.

Exit codes: 0 done; 1 failed, the last line says what to do; 2 misused; 3 refused, nothing was stopped; 4 the new version
failed and the old one runs again.

Environment
  ENGAGEMENT_CLUSTER_DIR   the cluster of scripts/cluster.sh (default target/cluster); or, for another one, all of:
  ENGAGEMENT_FLINK_REST    where its REST API is (default: that of the cluster)
  ENGAGEMENT_FLINK         Flink's command line (default scripts/flink.sh)
  ENGAGEMENT_FLINK_LIB     Flink's own jars (default target/flink/lib)
  FLINK_CONF_DIR           Flink's configuration (default that of the cluster)
  ENGAGEMENT_DEPLOYMENTS   what was deployed: jars, options, catalogues (default CLUSTER/deployments)
  JAVA_HOME
HELP
}

fail() {
  printf '%s\n' "$*" >&2
  exit "${code:-1}"
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cluster=$(realpath -m "${ENGAGEMENT_CLUSTER_DIR:-$root/target/cluster}")
conf=${FLINK_CONF_DIR:-$cluster/conf}
lib=${ENGAGEMENT_FLINK_LIB:-$root/target/flink/lib}
records=${ENGAGEMENT_DEPLOYMENTS:-$cluster/deployments}
rest=${ENGAGEMENT_FLINK_REST:-}
local=$root/target/local

command='' jar='' configured=false plan=false arguments=()
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --jar)
      [[ $# -ge 2 ]] || code=2 fail "--jar needs a value"
      jar=$2
      shift 2
      continue
      ;;
    --jar=*) jar=${1#*=} ;;
    capture | stream)
      # Behind an option it is that option's value.
      if [[ -z $command && ${#arguments[@]} -eq 0 ]]; then command=$1; else arguments+=("$1"); fi
      ;;
    *)
      [[ $1 != --config && $1 != --config=* && $1 != --kafka.bootstrap-servers* ]] || configured=true
      [[ $1 != --plan ]] || plan=true
      arguments+=("$1")
      ;;
  esac
  shift
done
[[ -z ${ENGAGEMENT_CONFIG:-}${ENGAGEMENT_KAFKA_BOOTSTRAP_SERVERS:-} ]] || configured=true

# Java finds files with letters beyond ASCII only in a locale that has them.
[[ $(locale charmap 2>/dev/null) == UTF-8 ]] || export LC_ALL=C.UTF-8

java=${JAVA_HOME:+$JAVA_HOME/bin/java}
[[ -n $java ]] || java=$(command -v java) || fail "There is no java: install a JDK 17 and put it into PATH or JAVA_HOME"
[[ -x $java ]] || fail "JAVA_HOME is '$JAVA_HOME', which has no bin/java: point it to a JDK 17"

# A value of a .properties file.
property() {
  sed -n "s/^${1//./\\.}=//p" "$2"
}

if [[ -z $rest ]]; then
  [[ -f $cluster/endpoints.properties ]] || fail "No cluster runs in $cluster; scripts/cluster.sh start 2 makes one"
  rest=$(property flink.rest "$cluster/endpoints.properties")
fi

if [[ -z $jar ]]; then
  jar=$root/target/engagement-job.jar
  if [[ -d $root/src/main ]] && { [[ ! -f $jar ]] || [[ -n $(find "$root/pom.xml" "$root/src/main" -newer "$jar" -print -quit) ]]; }; then
    printf 'building %s…\n' "$jar"
    (cd "$root" && ./mvnw -q -B -ntp -Dstyle.color=never -Dmaven.test.skip=true -Dskip.unit.tests package)
  fi
fi
[[ -f $jar ]] || fail "There is no jar $jar"

# ---------------------------------------------------------------------------------------------------- the local servers

listens() {
  (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null
}

local_runs() {
  [[ -s $local/endpoints.properties ]] && listens "$(property kafka.bootstrap-servers "$local/endpoints.properties")"
}

# In a session of their own: they outlive this script, and Ctrl-C is not for them.
start_local() {
  local pid deadline=$((SECONDS + 900))
  printf 'no --config, and no local servers run: starting PostgreSQL, Kafka, Redis, a BigQuery emulator and a receiver…\n'
  mkdir -p "$local"
  rm -f "$local/endpoints.properties"
  setsid nohup "$root/scripts/local.sh" --no-jobs >"$local/servers.log" 2>&1 </dev/null &
  pid=$!
  until local_runs; do
    [[ -d /proc/$pid ]] || fail "The local servers did not start: $(tail -n 5 "$local/servers.log")"
    [[ $SECONDS -lt $deadline ]] || fail "The local servers did not start within 900 s, see $local/servers.log"
    sleep 0.2
  done
  printf '%s\n' "$pid" >"$local/servers.pid"
  printf 'they run, with 50 events a second; kill %s stops them, their log is %s\n' "$pid" "$local/servers.log"
}

# Where they are, as the jobs' options.
write_local_options() {
  local endpoints=$local/endpoints.properties
  (
    umask 077
    property postgres.password "$endpoints" >"$local/postgres.password"
  )
  cat >"$local/deploy.properties" <<OPTIONS
# Written by scripts/deploy.sh from endpoints.properties
checkpoint.interval=10 s
kafka.bootstrap-servers=$(property kafka.bootstrap-servers "$endpoints")
postgres.url=$(property postgres.url "$endpoints")
postgres.username=$(property postgres.username "$endpoints")
postgres.password.secret-file=$local/postgres.password
redis.url=$(property redis.url "$endpoints")
warehouse.project=$(property warehouse.project "$endpoints")
warehouse.endpoint=$(property bigquery.rest "$endpoints")
warehouse.grpc-endpoint=http://$(property bigquery.grpc "$endpoints")
warehouse.partition=HOUR
warehouse.partition-expiration=90 d
delivery.url=$(property receiver.url "$endpoints")/events
delivery.secret.secret-file=$(property receiver.secret-file "$endpoints")
delivery.include-snapshot=true
delivery.receipts=true
destinations=liveview,warehouse,delivery,rollups
rollup.postgres.url=$(property analytics.url "$endpoints")
rollup.postgres.username=$(property postgres.username "$endpoints")
rollup.postgres.password.secret-file=$local/postgres.password
OPTIONS
}

# deploy COMMAND [OPTION…]
deploy() {
  local log4j=$conf/log4j-cli.properties
  [[ -f $log4j ]] || log4j=$conf/log4j.properties
  mkdir -p "$records"
  FLINK_CONF_DIR=$conf "$java" -Xmx512m -XX:TieredStopAtLevel=1 \
    --add-opens=java.base/java.util=ALL-UNNAMED --add-opens=java.base/java.time=ALL-UNNAMED \
    --add-opens=java.base/java.lang=ALL-UNNAMED \
    "-Dlog.file=$records/deploy.log" "-Dlog4j.configurationFile=$log4j" \
    -cp "$lib/*:$jar" dev.engagement.deploy.Deploy \
    --rest "$rest" --flink "${ENGAGEMENT_FLINK:-$root/scripts/flink.sh}" --lib "$lib" --records "$records" --jar "$jar" "$@"
}

if [[ $configured == false ]]; then
  if ! local_runs; then
    [[ $plan == false ]] || fail "No --config, and no local servers run: there is nothing to compare with"
    start_local
  fi
  # What was deployed on local servers that are gone is gone with them.
  if ! cmp -s "$local/endpoints.properties" "$records/local-endpoints" \
    || [[ $local/endpoints.properties -nt $records/local-endpoints ]]; then
    if [[ -e $records && ! -f $records/local-endpoints && -n $(find "$records" -name deployment.properties -print -quit) ]]; then
      fail "What was deployed before had a --config; give it again"
    fi
    rm -rf "$records"
    mkdir -p "$records"
    cp -p "$local/endpoints.properties" "$records/local-endpoints"
  fi
  write_local_options
  if [[ -z $command && $plan == false && ! -d $records/engagement-capture ]]; then
    printf 'capture, once:\n'
    deploy capture --config "$local/deploy.properties" --parallelism 1
    printf 'stream:\n'
  fi
  arguments=(--config "$local/deploy.properties" "${arguments[@]}")
fi
deploy "${command:-stream}" "${arguments[@]}"
