#!/usr/bin/env bash
# Benchmarks of the hot path. Never a test: machines are noisy, so every figure stands beside a reference in the same run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'HELP'
scripts/bench.sh ingest [--events N] [--rounds N] [--state hashmap|rocksdb] [--only decode|pipeline]

  ingest   events/s and bytes allocated per event of decoding alone (JMH), and of
           Kafka -> decode -> enrich -> dedupe -> discard at parallelism 2, each beside
           reading and parsing the same records and nothing else.

  --events N     events in Kafka (default 3000000)
  --rounds N     measured rounds, after one to warm up (default 3)
  --state NAME   state backend (default hashmap)
  --only PART    decode or pipeline (default both)

Takes about five minutes. Nothing is installed; Kafka runs below target/bench.
HELP
}

fail() {
  printf '%s\n' "$*" >&2
  exit 2
}

[[ $# -gt 0 ]] || { usage >&2; exit 2; }
command=$1
shift
case $command in
  -h | --help) usage; exit 0 ;;
  ingest) ;;
  *) fail "Unknown benchmark '$command'; there is: ingest. --help explains it." ;;
esac

events=3000000
rounds=3
state=hashmap
only=both
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --events | --rounds | --state | --only)
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
[[ $only == both || $only == decode || $only == pipeline ]] || fail "--only is '$only'; it must be decode or pipeline"

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
  -cp "target/test-classes:target/classes:$(<target/classpath.txt)"
)
if [[ $only != pipeline ]]; then
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
    }' target/bench/decode.csv
fi
if [[ $only != decode ]]; then
  printf '\n'
  "$java" "${options[@]}" -Xmx4g dev.engagement.bench.IngestBenchmark target/bench "$events" "$rounds" "$state"
fi
