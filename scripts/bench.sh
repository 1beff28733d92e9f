#!/usr/bin/env bash
# Benchmarks of the hot path. Never a test: machines are noisy, so every figure stands beside a reference in the same run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'HELP'
scripts/bench.sh ingest    [--events N] [--rounds N] [--state hashmap|rocksdb] [--only decode|pipeline]
scripts/bench.sh ranking   [--events N] [--rounds N] [--state hashmap|rocksdb] [--only pipeline|stage|slide|redis|rebuild]
scripts/bench.sh rollup    [--events N] [--rounds N] [--state hashmap|rocksdb] [--only pipeline|audience|users|tables]
scripts/bench.sh warehouse [--events N] [--rounds N] [--state hashmap|rocksdb]
scripts/bench.sh delivery  [--events N] [--rounds N] [--state hashmap|rocksdb]
scripts/bench.sh backfill  [--events N] [--rounds N] [--state hashmap|rocksdb]
scripts/bench.sh audit     [--events N] [--rounds N]
scripts/bench.sh api       [--rounds N] [--only reads|track|live]
scripts/bench.sh latency   [--rates N,…] [--seconds N]
scripts/bench.sh start     [--rounds N]

  ingest     events/s and bytes allocated per event of decoding alone (JMH), in JSON and the same
             events in Avro by a registered schema, and of
             Kafka -> decode -> enrich -> dedupe -> discard at parallelism 2, each beside
             reading and parsing the same records and nothing else, and beside the same
             events under ids that are texts. About seven minutes.
  ranking    at slides of 60, 10 and 1 s, about ten minutes in all:
               pipeline  events/s, CPU and bytes allocated per event of Kafka -> decode ->
                         enrich -> dedupe -> ranking -> discard at parallelism 2, beside
                         reading and parsing; the boards are compared with brute force
               stage     events per CPU second of ranking alone: even, Zipf(1.1) and skewed
                         load, 10 k and 1 M contents
               slide     time of one slide, and bytes of heap and state, at 1 M contents
               redis     commands, bytes and Redis' CPU per event at 1 k, 10 k and 50 k events/s
               rebuild   how soon a Redis that forgot everything shows 100,000 contents again
  rollup     in four parts:
               pipeline  events/s, CPU and bytes allocated per event of Kafka -> decode ->
                         enrich -> dedupe -> ranking -> discard at parallelism 2, with the
                         shipped rollups behind dedupe and without; the rows are compared
                         with the number of events
               audience  the stage with one rollup alone, users by content, at 1 M contents:
                         events per CPU second and rows told, even and Zipf(1.1) load; bytes
                         of state and heap of one window
               users     bytes of state and heap of an open cell with 1, 100, 1,000 and
                         100,000 users
               tables    rows/s into PostgreSQL, inserted and updated, at parallelism 2,
                         beside INSERTs of the same rows over as many plain connections
  warehouse  rows/s, CPU seconds per million rows and the most bytes in flight of events ->
             warehouse at parallelism 2, into the BigQuery emulator, which discards the rows:
             at 0 and 50 ms latency, and with a limit of bytes in flight that bites; each
             beside discarding the same events in the job. About five minutes.
  delivery   posts/s, CPU per post of job and receiver and the most bytes in flight of
             events -> deliver at parallelism 2, signed, to the local receiver, which
             records them: at 0 and 50 ms latency, single and in batches of 100; beside
             discarding the same events in the job. About five minutes.
  backfill   rows/s of PostgreSQL -> decode -> enrich -> dedupe -> discard at parallelism 2,
             beside COPY (SELECT ...) TO STDOUT of the same rows, with PostgreSQL on the same
             cores. About two minutes.
  audit      seconds that an audit of a day takes in which nothing differs, by destination and of
             all, and of one with a row missing, beside SELECT count(*), sum(duration_ms) of the
             same events. About three minutes for a million.
  api        the API as it is run, its Redis, its PostgreSQL and the load on the same cores, in three
             parts, about five minutes in all:
               reads  requests/s and p50, p99 of realtime, leaderboard, content and history, closed
                      loop, turn about with a bare GET of Redis through the client that the API has
               track  events/s that are committed, single and in batches of 100, closed loop, each
                      request with a key; fails if the rows are not as many as were answered
               live   1,000 clients of server-sent events at 10 updates/s, open loop: delay from when
                      each update was due, what was not told, CPU and memory of the API
  latency    how long after a row is due in PostgreSQL it is readable in Redis (last event, count,
             leaderboard), posted, and visible in BigQuery: p50, p99, p99.9 and max at each rate,
             and apart from them of the first minute, at the first rate. Open loop beside a fresh
             scripts/local.sh --rate 0: each row counts from when it was due, however late it was
             written. Fails if something has not arrived in the end. About five minutes;
             histograms in target/bench/latency/percentiles.csv
  start      how long scripts/local.sh --rate 500 --events 20000 --exit takes until its servers and jobs
             run, its first events have come through, and it has passed; commit to Redis and what was
             diverted in that run, and the memory of all its processes: with class archives and without,
             in turn, after a start that does not count. About ten minutes

  --events N     events of ingest, of the parts pipeline, stage and audience, of warehouse and of
                 backfill (default 3000000; of delivery 200000, of audit 1000000); the part
                 tables has a row for each ten
  --rounds N     measured rounds, after one to warm up (default 3; of start 5)
  --state NAME   state backend (default hashmap)
  --only PART    one part (default all)
  --rates N,…    rows per second of latency, one after the other (default 500,3333,10000)
  --seconds N    how long each of latency's rates lasts (default 60)

Nothing is installed; Kafka, Redis, PostgreSQL and the emulator run below target/bench, the stacks of
latency and start below target/local.
HELP
}

fail() {
  printf '%s\n' "$*" >&2
  exit 2
}

[[ $# -gt 0 ]] || { usage >&2; exit 2; }
command=$1
shift
only=all
case $command in
  -h | --help) usage; exit 0 ;;
  ingest) parts='decode pipeline' ;;
  ranking) parts='pipeline stage slide redis rebuild' ;;
  rollup) parts='pipeline audience users tables' ;;
  api) parts='reads track live' ;;
  warehouse | delivery | backfill | audit | latency | start) parts='' ;;
  *) fail "Unknown benchmark '$command'; there are: ingest, ranking, rollup, warehouse, delivery, backfill, audit, api, latency, start. --help explains them." ;;
esac

events=3000000
[[ $command != delivery ]] || events=200000
[[ $command != audit ]] || events=1000000
rounds=3
[[ $command != start ]] || rounds=5
state=hashmap
rates=500,3333,10000
seconds=60
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --events | --rounds | --state | --only | --rates | --seconds)
      [[ $# -ge 2 ]] || fail "$1 needs a value"
      declare "${1#--}=$2"
      shift 2
      ;;
    *) fail "Unknown option '$1'; --help lists them." ;;
  esac
done
[[ $events =~ ^[1-9][0-9]*$ ]] || fail "--events is '$events'; it must be a number above 0"
[[ $rounds =~ ^[1-9][0-9]*$ ]] || fail "--rounds is '$rounds'; it must be a number above 0"
[[ $state == hashmap || $state == rocksdb ]] || fail "--state is '$state'; it must be hashmap or rocksdb"
[[ $rates =~ ^[1-9][0-9]*(,[1-9][0-9]*)*$ ]] || fail "--rates is '$rates'; it must be numbers above 0, with commas between them"
[[ $seconds =~ ^[1-9][0-9]*$ ]] || fail "--seconds is '$seconds'; it must be a number above 0"
[[ " all $parts " == *" $only "* ]] || fail "--only is '$only'; $command has: ${parts:-no parts}"

printf 'building…\n'
./mvnw -q -B -ntp -Dstyle.color=never test-compile
rm -rf target/bench
mkdir -p target/bench/tmp
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
options=(
  --add-opens=java.base/java.util=ALL-UNNAMED
  --add-opens=java.base/java.time=ALL-UNNAMED
  --add-opens=java.base/java.lang=ALL-UNNAMED
  -Djava.io.tmpdir=target/bench/tmp
  -Djava.util.logging.config.file=src/test/resources/java-logging.properties
  -cp "target/test-classes:target/classes:$(<target/classpath.txt)"
)

decode() {
  printf '\ndecode alone, one thread, beside reading the JSON tokens and forgetting them\n'
  "$java" "${options[@]}" org.openjdk.jmh.Main DecodeBenchmark -prof gc -v SILENT \
    -rf csv -rff target/bench/decode.csv >target/bench/decode.log
  awk -F, '
    NR == 1 { next }
    {
      gsub(/"/, "")
      split($1, name, ":")
      sub(/.*\./, "", name[1])
      if (name[2] == "") speed[name[1]] = $5
      if (name[2] == "gc.alloc.rate.norm") bytes[name[1]] = $5
    }
    END {
      printf "  %-18s %12s %14s\n", "what", "events/s", "bytes/event"
      for (b in speed) printf "  %-18s %12.0f %14.0f\n", b, speed[b], bytes[b]
      printf "  %-18s %12.2f\n", "ratio", speed["decode"] / speed["parseAndDiscard"]
      printf "  %-18s %12.2f\n", "Avro to JSON", speed["decodeAvro"] / speed["decode"]
    }' target/bench/decode.csv
}

# A local stack of its own beside the probe, whose compiler and heap leave the machine to the stack.
latency() {
  local folder=target/bench/latency endpoints=target/local/endpoints.properties
  mkdir -p "$folder"
  touch "$folder/started"
  printf 'starting scripts/local.sh --rate 0…\n'
  # With both compilers, as a job has them: rates of thousands follow.
  ENGAGEMENT_LOCAL_JAVA_OPTS=${ENGAGEMENT_LOCAL_JAVA_OPTS:--Xmx2g} \
    scripts/local.sh --rate 0 >"$folder/local.log" 2>&1 &
  stack=$!
  # TERM: what a script starts in the background ignores SIGINT.
  trap 'kill -TERM "$stack" 2>/dev/null || true; wait "$stack" || true' EXIT
  until [[ $endpoints -nt $folder/started ]]; do
    kill -0 "$stack" 2>/dev/null || { tail -n 20 "$folder/local.log" >&2; exit 1; }
    sleep 0.1
  done
  "$java" "${options[@]}" -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    dev.engagement.bench.LatencyBenchmark "$endpoints" "$folder" "$rates" "$seconds"
}

if [[ $command == ingest ]]; then
  [[ $only == pipeline ]] || decode
  if [[ $only != decode ]]; then
    printf '\n'
    "$java" "${options[@]}" -Xmx4g dev.engagement.bench.IngestBenchmark target/bench "$events" "$rounds" "$state"
  fi
elif [[ $command == delivery ]]; then
  printf '\n'
  "$java" "${options[@]}" -Xmx4g dev.engagement.bench.DeliveryBenchmark target/bench "$events" "$rounds" "$state"
elif [[ $command == latency ]]; then
  latency
elif [[ $command == start ]]; then
  printf '\n'
  scripts/lib/class-archive.sh make "$(command -v "$java")"
  "$java" "${options[@]}" -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    dev.engagement.bench.StartBenchmark target/bench/start "$rounds"
elif [[ $command == audit ]]; then
  printf '\n'
  "$java" "${options[@]}" -Xmx2g dev.engagement.bench.AuditBenchmark target/bench "$events" "$rounds"
elif [[ $command == api ]]; then
  "$java" "${options[@]}" -Xmx1g dev.engagement.bench.ApiBenchmark target/bench "$rounds" "$only"
elif [[ $command == rollup ]]; then
  "$java" "${options[@]}" -Xmx4g dev.engagement.bench.RollupBenchmark target/bench "$events" "$rounds" "$state" "$only"
elif [[ $command == warehouse ]]; then
  printf '\n'
  "$java" "${options[@]}" -Xmx4g dev.engagement.bench.WarehouseBenchmark target/bench "$events" "$rounds" "$state"
elif [[ $command == backfill ]]; then
  printf '\n'
  "$java" "${options[@]}" -Xmx4g dev.engagement.bench.BackfillBenchmark target/bench "$events" "$rounds" "$state"
else
  "$java" "${options[@]}" -Xmx4g dev.engagement.bench.RankingBenchmark target/bench "$events" "$rounds" "$state" "$only"
fi
