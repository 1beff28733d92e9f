#!/usr/bin/env bash
# The API and its page: REST, GraphQL, server-sent events and a WebSocket out of Redis and PostgreSQL, and a way to send
# events.
#
#   scripts/api.sh
#   scripts/api.sh --api.port 9000
#   scripts/api.sh --config api.properties
#   ENGAGEMENT_API_TOKEN=$(openssl rand -hex 32) scripts/api.sh --api.address 0.0.0.0
#
#   --config FILE   options in a file; then nothing is taken from the local stack
#   any other option of the API: scripts/api.sh --options lists them
#   --help          this text
#
# Without --config, and without $ENGAGEMENT_CONFIG, it answers out of the running local stack, as
# target/local/endpoints.properties has it; what is given here wins. The local stack itself has one on port 8088, so this
# one takes a free port unless told otherwise. Runs target/engagement-api.jar if it is newer than its sources, else the
# classes that scripts/local.sh has built.
#
# Environment: JAVA_HOME; ENGAGEMENT_API_JAVA_OPTS for further JVM options (default -Xmx512m); the options'
# ENGAGEMENT_… variables. Exit codes: 0 told to end; 1 it could not start; 2 the options cannot be used, or there is no
# local stack.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf '%s\n' "$*" >&2
  exit 2
}

config=${ENGAGEMENT_CONFIG:-}
port=
address=
options=false
for argument in "$@"; do
  case $argument in
    --help | -h)
      sed -n '2,/^set -e/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --options) options=true ;;
    --config | --config=*) config=given ;;
    --api.port | --api.port=*) port=given ;;
    --redis.url | --redis.url=* | --postgres.url | --postgres.url=*) address=given ;;
  esac
done

java=${JAVA_HOME:+$JAVA_HOME/bin/java}
[[ -n $java ]] || java=$(command -v java) || fail "There is no java: install a JDK 17 and put it into PATH or JAVA_HOME"
[[ -x $java ]] || fail "JAVA_HOME is '$JAVA_HOME', which has no bin/java: point it to a JDK 17"

jar=target/engagement-api.jar
if [[ -f $jar && -z $(find pom.xml src/main -newer "$jar" -print -quit) ]]; then
  program=(-jar "$jar")
elif [[ -d target/classes && -s target/classpath.txt ]]; then
  mapfile -t archive_options < <(scripts/lib/class-archive.sh options "$java")
  program=("${archive_options[@]}" -cp "$(<target/classpath.txt):target/classes" dev.engagement.api.EngagementApi)
else
  fail "Nothing is built; ./mvnw package builds $jar, and scripts/local.sh all that it starts"
fi

# Java finds files with letters beyond ASCII only in a locale that has them.
[[ $(locale charmap 2>/dev/null) == UTF-8 ]] || export LC_ALL=C.UTF-8

# The variable is this script's; the API would take it for an option.
read -r -a java_options <<<"${ENGAGEMENT_API_JAVA_OPTS:--Xmx512m}"
unset ENGAGEMENT_API_JAVA_OPTS

if [[ $options == true ]]; then
  exec "$java" "${program[@]}" --help
fi

its=()
endpoints=target/local/endpoints.properties
if [[ -z $config && -z $address ]]; then
  [[ -f $endpoints ]] || fail "No local stack runs: there is no $endpoints; scripts/local.sh starts one, or give --config"

  of() {
    local value
    value=$(sed -n "s/^${1//./\\.}=//p" "$endpoints")
    [[ -n $value ]] || fail "$endpoints says nothing of $1; stop the stack and start it again"
    printf '%s' "$value"
  }

  redis=$(of redis.url)
  postgres=$(of postgres.url)
  analytics=$(of analytics.url)
  username=$(of postgres.username)
  password=$(of postgres.password)
  # Of a stack without jobs there is none.
  rest=$(sed -n 's/^flink\.rest=//p' "$endpoints")
  # By the environment, which is what an option of the command line wins over.
  [[ -z $rest ]] || export ENGAGEMENT_FLINK_REST=${ENGAGEMENT_FLINK_REST:-$rest}
  export ENGAGEMENT_REDIS_URL=${ENGAGEMENT_REDIS_URL:-$redis}
  export ENGAGEMENT_POSTGRES_URL=${ENGAGEMENT_POSTGRES_URL:-$postgres}
  export ENGAGEMENT_POSTGRES_USERNAME=${ENGAGEMENT_POSTGRES_USERNAME:-$username}
  export ENGAGEMENT_POSTGRES_PASSWORD=${ENGAGEMENT_POSTGRES_PASSWORD:-$password}
  export ENGAGEMENT_ROLLUP_POSTGRES_URL=${ENGAGEMENT_ROLLUP_POSTGRES_URL:-$analytics}
  export ENGAGEMENT_ROLLUP_POSTGRES_USERNAME=${ENGAGEMENT_ROLLUP_POSTGRES_USERNAME:-$username}
  export ENGAGEMENT_ROLLUP_POSTGRES_PASSWORD=${ENGAGEMENT_ROLLUP_POSTGRES_PASSWORD:-$password}
  [[ -n $port || -n ${ENGAGEMENT_API_PORT:-} ]] || its+=(--api.port 0)
fi

# exec: Ctrl-C and kill reach the API itself, which stops in order.
exec "$java" -XX:+ExitOnOutOfMemoryError -Dfile.encoding=UTF-8 "${java_options[@]}" "${program[@]}" "${its[@]}" "$@"
