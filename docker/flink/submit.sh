#!/usr/bin/env bash
# Submits a job once, by the deploy script: submit.sh capture|stream
#
# A job of that command that runs already is left alone, so that every `docker compose up` may run this. A new build is
# deployed by docker compose build, and docker compose run --rm -e REDEPLOY=true stream.
#
# Environment: FLINK_PROPERTIES, as the cluster's containers have it; FLINK_REST; STATE_DIRECTORY; REDEPLOY.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# In the image the scripts are beside this one.
root=$here
[[ -d $root/scripts ]] || root=$(cd "$here/../.." && pwd)
options=$here/engagement.properties
[[ -f $options ]] || options=$root/docker/engagement.properties
dir=${STATE_DIRECTORY:-/var/lib/engagement/state}
rest=${FLINK_REST:-http://jobmanager:8081}

command=${1:-}
if [[ $command != capture && $command != stream ]]; then
  sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi

# The folder of a cluster, as scripts/cluster.sh makes it: that is where the scripts find theirs.
mkdir -p "$dir/conf" "$dir/log" "$dir/tmp"
{
  grep '^env\.java\.opts\.all: ' "$root/src/cluster/config.yaml"
  # By REST and not by the memory of who leads: the address is known.
  grep -v '^ *high-availability' <<<"${FLINK_PROPERTIES:-}" | sed '/^ *$/d; /^rest\./d'
  printf 'rest.address: %s\nrest.port: %s\n' "$(sed 's#.*//##; s#:.*##' <<<"$rest")" "${rest##*:}"
} >"$dir/conf/config.yaml.$command"
mv "$dir/conf/config.yaml.$command" "$dir/conf/config.yaml"
cp "$root/src/cluster/log4j.properties" "$dir/conf/log4j.properties"
printf 'flink.rest=%s\n' "$rest" >"$dir/endpoints.properties.$command"
mv "$dir/endpoints.properties.$command" "$dir/endpoints.properties"
export ENGAGEMENT_CLUSTER_DIR=$dir

# As the image's own entry point does it, which this one stands for.
if [[ -d /opt/flink/opt ]]; then
  for plugin in ${ENABLE_BUILT_IN_PLUGINS//;/ }; do
    mkdir -p "/opt/flink/plugins/${plugin%.jar}"
    ln -sf "/opt/flink/opt/$plugin" "/opt/flink/plugins/${plugin%.jar}/"
  done
  export FLINK_PLUGINS_DIR=/opt/flink/plugins
fi

running=$("$root/scripts/flink.sh" list --running)
if [[ ${REDEPLOY:-false} != true ]] && grep -qF ": engagement-$command (" <<<"$running"; then
  printf 'engagement-%s runs already; nothing to do\n' "$command"
  exit 0
fi
exec "$root/scripts/deploy.sh" "$command" --config "$options"
