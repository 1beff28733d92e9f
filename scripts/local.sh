#!/usr/bin/env bash
# The whole pipeline on this machine, on real servers: scripts/local.sh --help
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cluster=false
format=json
rate=0
option=
for argument in "$@"; do
  [[ $argument != --cluster ]] || cluster=true
  [[ $option != --rate ]] || rate=$argument
  [[ $argument != --rate=* ]] || rate=${argument#--rate=}
  [[ $option != --format ]] || format=$argument
  [[ $argument != --format=* ]] || format=${argument#--format=}
  option=$argument
  if [[ $argument == --help || $argument == -h ]]; then
    cat src/main/resources/dev/engagement/local/help.txt
    exit 0
  fi
done

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

if [[ -n ${JAVA_HOME:-} ]]; then
  java=$JAVA_HOME/bin/java
else
  java=$(command -v java) || fail "There is no java: install a JDK 17 and put it into PATH or JAVA_HOME"
fi
[[ -x $java ]] || fail "JAVA_HOME is '$JAVA_HOME', which has no bin/java: point it to a JDK 17"

# Built again only if a source is newer than the beginning of the last build.
stamp=target/local-build.stamp
if [[ ! -f $stamp || ! -d target/classes || ! -s target/classpath.txt ]] \
  || [[ -n $(find pom.xml src/main -newer "$stamp" -print -quit) ]]; then
  printf 'building… (the first build downloads its dependencies, some 300 MB)\n'
  mkdir -p target
  touch "$stamp.new"
  # Beside the compiler, which leaves a processor idle much of the time; what is not ready then goes on beside the stack.
  (scripts/lib/class-archive.sh make "$java" $$ "$stamp.new" &)
  SECONDS=0
  ./mvnw -q -B -ntp -Dstyle.color=never process-classes
  mv "$stamp.new" "$stamp"
  printf 'built in %s s\n' "$SECONDS"
fi

# Only for who asks for it: 142 MB.
if [[ $format == avro && ! -f target/servers/apicurio-registry-app.tar.gz ]]; then
  printf 'downloading the schema registry…\n'
  ./mvnw -q -B -ntp -Dstyle.color=never dependency:copy@registry
fi

# A cluster is given the jar.
jar=target/engagement-job.jar
if [[ $cluster == true ]] && { [[ ! -f $jar ]] || [[ -n $(find pom.xml src/main -newer "$jar" -print -quit) ]]; }; then
  printf 'building %s…\n' "$jar"
  ./mvnw -q -B -ntp -Dstyle.color=never -Dmaven.test.skip=true -Dskip.unit.tests package
fi

# Java finds files with letters beyond ASCII only in a locale that has them.
[[ $(locale charmap 2>/dev/null) == UTF-8 ]] || export LC_ALL=C.UTF-8

mkdir -p target/local/tmp
terminal=false
[[ ! -t 1 ]] || terminal=true
# Without C2, which takes one of two processors for the first minute. What C1 makes is slower, which shows at thousands of
# events/s.
default_options=-Xmx2g
[[ ! $rate =~ ^[0-9]{1,3}$|^1[0-9]{3}$ ]] || default_options+=' -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m'
read -r -a java_options <<<"${ENGAGEMENT_LOCAL_JAVA_OPTS:-$default_options}"
mapfile -t archive_options < <(scripts/lib/class-archive.sh options "$java")
# Without one it starts all the same, and the next start has one.
[[ ${#archive_options[@]} -gt 0 ]] || (scripts/lib/class-archive.sh make "$java" $$ &)

# exec: Ctrl-C and kill reach the stack itself, which stops its servers in order.
exec "$java" \
  --add-opens=java.base/java.util=ALL-UNNAMED \
  --add-opens=java.base/java.time=ALL-UNNAMED \
  --add-opens=java.base/java.lang=ALL-UNNAMED \
  -XX:+ExitOnOutOfMemoryError \
  -Dfile.encoding=UTF-8 \
  -Djava.io.tmpdir="$PWD/target/local/tmp" \
  -Dengagement.local.terminal="$terminal" \
  -Djava.util.logging.config.file=src/main/resources/dev/engagement/local/logging.properties \
  -Dlog.file=target/local/flink.log \
  -Dlog4j2.configurationFile=dev/engagement/local/log4j2-local.properties \
  "${archive_options[@]}" \
  "${java_options[@]}" \
  -cp "$(<target/classpath.txt):target/classes" \
  dev.engagement.local.LocalStack "$@"
