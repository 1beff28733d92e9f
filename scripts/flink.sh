#!/usr/bin/env bash
# Flink's command line to the cluster of scripts/cluster.sh: run, list, stop, savepoint, cancel, … Exit codes are Flink's.
#
#   scripts/flink.sh run -d target/engagement-job.jar stream --redis.url redis://127.0.0.1:6379 …
#   scripts/flink.sh list
#   scripts/flink.sh stop --savepointPath target/cluster/savepoints JOB
#   scripts/flink.sh run -d -s SAVEPOINT -p 4 target/engagement-job.jar stream …
#
# --help is Flink's own. ENGAGEMENT_CLUSTER_DIR is the cluster's folder (default target/cluster). A missing
# target/engagement-job.jar is built.
set -euo pipefail

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Java finds files with letters beyond ASCII only in a locale that has them.
[[ $(locale charmap 2>/dev/null) == UTF-8 ]] || export LC_ALL=C.UTF-8

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=$(realpath -m "${ENGAGEMENT_CLUSTER_DIR:-$root/target/cluster}")
[[ -f $dir/endpoints.properties ]] || fail "No cluster runs in $dir; scripts/cluster.sh start makes one"

java=${JAVA_HOME:+$JAVA_HOME/bin/java}
[[ -n $java ]] || java=$(command -v java) || fail "There is no java: install a JDK 17 and put it into PATH or JAVA_HOME"
[[ -x $java ]] || fail "JAVA_HOME is '$JAVA_HOME', which has no bin/java: point it to a JDK 17"

jar=$root/target/engagement-job.jar
for argument in "$@"; do
  if [[ ! -f $jar && $(realpath -m -- "$argument") == "$jar" ]]; then
    printf 'building %s…\n' "$argument" >&2
    (cd "$root" && ./mvnw -q -B -ntp -Dstyle.color=never -Dmaven.test.skip=true -Dskip.unit.tests package) >&2
  fi
done

read -ra options < <(sed -n 's/^env\.java\.opts\.all: //p' "$dir/conf/config.yaml")
mapfile -t archive_options < <("$root/scripts/lib/class-archive.sh" --cluster options "$java")
mkdir -p "$dir/tmp/client"
# JAVA_TOOL_OPTIONS and the like stay the caller's; the client needs little memory and no second compiler.
FLINK_CONF_DIR=$dir/conf exec "$java" "${options[@]}" "${archive_options[@]}" -Xmx256m -XX:TieredStopAtLevel=1 \
  "-Djava.io.tmpdir=$dir/tmp/client" "-Dlog.file=$dir/log/client.log" \
  "-Dlog4j.configurationFile=$dir/conf/log4j.properties" \
  -cp "$root/target/flink/lib/*" org.apache.flink.client.cli.CliFrontend "$@"
