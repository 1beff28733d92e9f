#!/usr/bin/env bash
# Starts a program of the local stack, in the foreground: start.sh bigquery|receiver|load
#
#   bigquery   the BigQuery emulator, REST on port 9050 and gRPC on 9060
#   receiver   the webhook receiver, on port 8000
#   load       the load generator, told by its environment (GENERATION_RATE, BURST_MODE, …)
#
# The classes and libraries are beside this script, data goes below /var/lib/engagement (or $DATA_DIRECTORY), the heap is
# 512m (or $JAVA_HEAP). Everything listens on all addresses: a container has no other neighbours than its network.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data=${DATA_DIRECTORY:-/var/lib/engagement}
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

run() {
  exec "$java" -XX:+ExitOnOutOfMemoryError "-Xmx${JAVA_HEAP:-512m}" -Dfile.encoding=UTF-8 \
    -Djava.util.logging.config.file="$here/classes/dev/engagement/local/logging.properties" \
    -Dlog.file="$data/flink.log" -Dlog4j2.configurationFile=dev/engagement/local/log4j2-local.properties \
    -cp "$here/classes:$here/lib/*" "$@"
}

case ${1:-} in
  bigquery)
    mkdir -p "$data/bigquery"
    run dev.engagement.local.BigQueryProcess "$data/bigquery" "${REST_PORT:-9050}" "${GRPC_PORT:-9060}" 0.0.0.0
    ;;
  receiver)
    mkdir -p "$data/receiver"
    # It reads the secret from a file: an argument would show it.
    (
      umask 077
      printf '%s' "${DELIVERY_SECRET:?the secret that posts are signed with, whsec_…}" >"$data/receiver/secret"
    )
    run dev.engagement.local.receiver.ReceiverMain --directory "$data/receiver" --address 0.0.0.0 \
      --port "${RECEIVER_PORT:-8000}" --secret-file "$data/receiver/secret"
    ;;
  load) run dev.engagement.local.LoadProgram ;;
  *)
    sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
