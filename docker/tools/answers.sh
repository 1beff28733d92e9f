#!/usr/bin/env bash
# Whether this machine answers HTTP with 200, for health checks where there is no curl: answers.sh PORT PATH
set -euo pipefail

exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
read -r -t 4 status <&3
[[ $status == *' 200 '* || $status == *$' 200\r' ]]
