#!/usr/bin/env bash
# Submits a job once, by the deploy script: submit.sh capture|stream
#
# A job of that command that runs already is left alone, so that every `docker compose up` may run this. A new build is
# deployed by docker compose build, and docker compose run --rm -e REDEPLOY=true stream.
#
# Environment: REDEPLOY, and that of scripts/deploy.sh, which has defaults for Flink's image here.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command=${1:-}
if [[ $command != capture && $command != stream ]]; then
  sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi

flink=${FLINK_HOME:-/opt/flink}
export FLINK_CONF_DIR=${FLINK_CONF_DIR:-$flink/conf}
# Savepoints in a bucket are looked into as well.
export FLINK_PLUGINS_DIR=${FLINK_PLUGINS_DIR:-$flink/plugins}
export ENGAGEMENT_FLINK=${ENGAGEMENT_FLINK:-$flink/bin/flink}
export ENGAGEMENT_FLINK_LIB=${ENGAGEMENT_FLINK_LIB:-$flink/lib}
export ENGAGEMENT_FLINK_REST=${ENGAGEMENT_FLINK_REST:-http://jobmanager:8081}
# What was deployed, beside the state that belongs to it.
export ENGAGEMENT_DEPLOYMENTS=${ENGAGEMENT_DEPLOYMENTS:-/var/lib/engagement/deployments}

if [[ ${REDEPLOY:-false} != true ]]; then
  running=$("$ENGAGEMENT_FLINK" list)
  # Restarting is running, too: Flink does that by itself.
  if grep -qF ": engagement-$command (" <<<"$running"; then
    printf 'engagement-%s runs already; nothing to do\n' "$command"
    exit 0
  fi
fi
exec "$here/scripts/deploy.sh" "$command" --config "$here/engagement.properties"
