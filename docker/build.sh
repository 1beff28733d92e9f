#!/usr/bin/env bash
# Builds what the images hold: docker/build.sh FOLDER
#
#   FOLDER/job     engagement-job.jar
#   FOLDER/api     engagement-api.jar
#   FOLDER/tools   classes and libraries of the programs that docker/tools/start.sh starts
#
# Environment: MAVEN_ARGS, such as --offline.
set -euo pipefail

if [[ $# -ne 1 || $1 == --help || $1 == -h ]]; then
  sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  [[ ${1:-} == --help || ${1:-} == -h ]] && exit 0
  exit 2
fi

mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
./mvnw -q -B -ntp -Dstyle.color=never -Dmaven.test.skip=true -Dskip.unit.tests package

mkdir -p "$out/job" "$out/api" "$out/tools/classes" "$out/tools/lib"
install -m 644 target/engagement-job.jar "$out/job/engagement-job.jar"
install -m 644 target/engagement-api.jar "$out/api/engagement-api.jar"
cp -R target/classes/. "$out/tools/classes"
# What runs in images of its own, and what only tests need, stays behind.
left_out='/(embedded-postgres|embedded-redis|kafka_2|archunit|assertj|awaitility|byte-buddy|hamcrest|jmh|jqwik|junit'
left_out+='|graphql-java|javalin|jetty-|websocket-)[^/]*$'
tr ':' '\n' <target/classpath.txt | grep -Ev "$left_out" | while IFS= read -r jar; do
  install -m 644 "$jar" "$out/tools/lib/"
done
