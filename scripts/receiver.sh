#!/usr/bin/env bash
# Breaks and mends the webhook receiver of the local stack: scripts/receiver.sh --help
set -euo pipefail

usage() {
  cat <<'END'
Usage: scripts/receiver.sh VERB [--url URL]

Tells the webhook receiver of the running local stack how to behave, until it is told otherwise, and shows it.

  fail [STATUS]  answers every post with that status, 200 to 599 (default 503), and records none
  slow MS        answers that many milliseconds later
  hang           takes every post and never answers
  reset          resets the connection instead of answering
  mend           behaves again
  stats          what has arrived, by webhook-id; and what is in force
  --url URL      of another receiver (default: receiver.url in target/local/endpoints.properties)
  --help         this text

Exit codes: 0 done; 1 the receiver does not answer, or refuses; 2 wrong usage.
END
}

fail() {
  printf '%s\n' "$2" >&2
  exit "$1"
}

wrong() {
  fail 2 "$1; see scripts/receiver.sh --help"
}

is_number() {
  [[ $1 =~ ^[0-9]{1,9}$ ]]
}

url=
words=()
while (($#)); do
  case $1 in
    --help | -h)
      usage
      exit 0
      ;;
    --url)
      [[ $# -ge 2 && -n $2 ]] || wrong '--url needs a value'
      url=$2
      shift
      ;;
    -*) wrong "Unknown option '$1'" ;;
    *) words+=("$1") ;;
  esac
  shift
done
((${#words[@]})) || wrong 'A verb is missing'
verb=${words[0]}
values=("${words[@]:1}")

most=0
behaviour=
case $verb in
  fail)
    most=1
    status=${values[0]:-503}
    { is_number "$status" && ((10#$status >= 200 && 10#$status <= 599)); } \
      || wrong "The status is '$status'; it needs to be a number from 200 to 599"
    behaviour="{\"mode\":\"fail\",\"status\":$((10#$status))}"
    ;;
  slow)
    most=1
    ((${#values[@]})) || wrong 'slow needs the milliseconds'
    is_number "${values[0]}" || wrong "The milliseconds are '${values[0]}', which is not a whole number"
    behaviour="{\"mode\":\"slow\",\"delayMillis\":$((10#${values[0]}))}"
    ;;
  hang | reset) behaviour="{\"mode\":\"$verb\"}" ;;
  mend) behaviour='{"mode":"ok"}' ;;
  stats) ;;
  *) wrong "There is no '$verb'" ;;
esac
((${#values[@]} <= most)) || wrong "'${values[most]}' is too much after $verb"

if [[ -z $url ]]; then
  endpoints=$(dirname "${BASH_SOURCE[0]}")/../target/local/endpoints.properties
  [[ -f $endpoints ]] || fail 1 'No local stack has run here; scripts/local.sh starts one, or name a receiver by --url'
  url=$(sed -n 's/^receiver\.url=//p' "$endpoints")
  [[ -n $url ]] || fail 1 "There is no receiver.url in $endpoints; start scripts/local.sh again"
fi
url=${url%/}

command -v curl >/dev/null || fail 1 'There is no curl: install it'

ask() {
  local answer
  answer=$(curl -sS --max-time 10 -w '\n%{http_code}' "$@") \
    || fail 1 "The receiver does not answer at $url; is scripts/local.sh running?"
  [[ ${answer##*$'\n'} == 200 ]] || fail 1 "The receiver at $url refuses: ${answer%$'\n'*}"
  printf '%s\n' "${answer%$'\n'*}"
}

if [[ $verb == stats ]]; then
  ask "$url/stats"
  ask "$url/behaviour"
else
  ask -X POST -d "$behaviour" "$url/behaviour"
fi
