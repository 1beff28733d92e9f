#!/usr/bin/env bash
# Tests beside busy loops, once or many times: scripts/verify-under-load.sh --help
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'END'
Usage: scripts/verify-under-load.sh [OPTION…] [TEST…] [-- MAVEN-OPTION…]

Runs ./mvnw verify, or the tests that are named and no others, beside busy loops that take the machine's cores. What is
green here does not depend on how fast the machine is.

  TEST          a test class, or some of its methods: SettingsTest, LineProperties, DeliveryIT, 'EngagementJobIT#a_row*'
  --loops N     busy loops, at normal priority (default 4); 0 for comparison
  --times K     runs, one after the other (default 1); ends with a table of them
  --keep-going  goes on after a run that failed
  --help        this text

  scripts/verify-under-load.sh
  scripts/verify-under-load.sh --loops 6 --times 10 DeliveryIT RebuildIT
  scripts/verify-under-load.sh -- -Dit.forks=1

What is to be tested is compiled before the loops start. They end with this script, however it ends. Of several runs
each one's output is in target/verify-under-load/.

Exit codes: 0 all is green; 1 a test failed, or the build did; 2 wrong usage, such as a test that does not exist.
END
}

wrong() {
  printf '%s; see scripts/verify-under-load.sh --help\n' "$1" >&2
  exit 2
}

loops=4
times=1
keep_going=false
unit_tests=()
integration_tests=()
maven_options=()
while (($#)); do
  case $1 in
    --help | -h)
      usage
      exit 0
      ;;
    --loops | --times)
      [[ ${2:-} =~ ^[0-9]{1,4}$ ]] || wrong "$1 needs a number"
      declare "${1#--}=$((10#$2))"
      shift
      ;;
    --keep-going) keep_going=true ;;
    --)
      shift
      maven_options=("$@")
      break
      ;;
    -*) wrong "Unknown option '$1' (what Maven is to be told stands after --)" ;;
    *)
      class=${1%%#*}
      # A name that selects nothing would be green.
      [[ $class =~ ^[A-Za-z0-9_.*?]+$ && -n $(find src/test/java -name "${class##*.}.java" -print -quit) ]] \
        || wrong "There is no test class '$class'"
      case $class in
        *IT) integration_tests+=("$1") ;;
        *Test | *Properties) unit_tests+=("$1") ;;
        *) wrong "'$class' is no test class: they end in Test, Properties or IT" ;;
      esac
      ;;
  esac
  shift
done
((times > 0)) || wrong '--times is 0; it must be a number above 0'

# Named tests run by themselves: the phases before them would run beside the loops each time. The executions are those
# of the POM.
prepared=process-test-classes
if ((${#unit_tests[@]} + ${#integration_tests[@]})); then
  goals=()
  if ((${#unit_tests[@]})); then
    goals+=(surefire:test "-Dtest=$(IFS=,; printf %s "${unit_tests[*]}")")
  fi
  if ((${#integration_tests[@]})); then
    prepared=package
    goals+=(failsafe:integration-test@beside-each-other failsafe:verify@verdict
      "-Dit.test=$(IFS=,; printf %s "${integration_tests[*]}")")
  fi
else
  goals=(verify)
fi

green='' red='' plain=''
if [[ -t 1 ]]; then
  green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi
folder=target/verify-under-load
maven=
loop_pids=()
rows=()
failed=0

# Burns a core until this script is gone, of whatever it dies.
burn() {
  trap 'exit 0' TERM
  while kill -0 $$ 2>/dev/null; do
    for ((i = 0; i < 20000; i++)); do :; done
  done
}

finish() {
  trap '' INT TERM HUP
  if [[ -n $maven ]] && kill "$maven" 2>/dev/null; then
    printf 'ending Maven…\n' >&2
    wait "$maven" || true
  fi
  if ((${#loop_pids[@]})); then
    kill "${loop_pids[@]}" 2>/dev/null || true
    wait "${loop_pids[@]}" || true
  fi
  if ((times > 1 && ${#rows[@]})); then
    printf '\n%4s  %-7s %6s %8s\n' run result tests seconds
    printf '%s\n' "${rows[@]}"
    printf '%s of %s runs, %s failed, beside %s busy loops\n' "${#rows[@]}" "$times" "$failed" "$loops"
  fi
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# How many tests have a report that is newer than the beginning of the run.
tests_run() {
  local reports
  reports=$(find target/surefire-reports target/failsafe-reports -name 'TEST-*.xml' -newer "$folder/began" \
    -exec sed -n '/<testsuite /{s/.* tests="\([0-9]*\)".*/\1/p;q;}' {} \; 2>/dev/null || true)
  printf '%s' "$((${reports//$'\n'/+}))"
}

printf 'compiling…\n'
./mvnw -q -B -ntp "$prepared" -DskipTests "${maven_options[@]}" &
maven=$!
wait "$maven" || { maven=; exit 1; }
maven=
rm -rf "$folder"
mkdir -p "$folder"

for ((loop = 0; loop < loops; loop++)); do
  burn &
  loop_pids+=($!)
done

for ((run = 1; run <= times; run++)); do
  touch "$folder/began"
  SECONDS=0
  log=
  if ((times > 1)); then
    log=$folder/run-$run.log
    printf 'run %s of %s beside %s busy loops: %s\n' "$run" "$times" "$loops" "$log"
    ./mvnw -B -ntp "${goals[@]}" "${maven_options[@]}" >"$log" 2>&1 &
  else
    printf 'beside %s busy loops:\n' "$loops"
    ./mvnw -B -ntp "${goals[@]}" "${maven_options[@]}" &
  fi
  maven=$!
  result=green colour=$green
  if ! wait "$maven"; then
    result=FAILED colour=$red
    failed=$((failed + 1))
  fi
  maven=
  tests=$(tests_run)
  printf '  %s%s%s: %s tests, %s s\n' "$colour" "$result" "$plain" "$tests" "$SECONDS"
  rows+=("$(printf '%4s  %s%-7s%s %6s %8s' "$run" "$colour" "$result" "$plain" "$tests" "$SECONDS")")
  if [[ $result == FAILED ]]; then
    [[ -z $log ]] || grep -F '[ERROR]' "$log" | head -n 40 || true
    [[ $keep_going == true ]] || break
  elif ((tests == 0)); then
    wrong 'No test ran: what is named selects none'
  fi
done
((failed == 0))
