#!/usr/bin/env bash
# A Flink session cluster of separate processes on this machine, without Docker: scripts/cluster.sh --help
set -euo pipefail
shopt -s inherit_errexit

usage() {
  cat <<'HELP'
Usage: scripts/cluster.sh COMMAND

  start [TMS] [-Dkey=value …]   a new, empty session cluster with TMS task managers (default 1); -D is Flink's own
                                configuration and wins over what is set here
  stop                          ends all its processes, whatever state they are in
  status                        a table; exit code 0 if all processes of the cluster run, 3 if not
  start-jobmanager              brings a killed process back into the running cluster:
  start-taskmanager N             a job manager resumes the jobs of the killed one; task manager N may also be one
  start-zookeeper                 more than there were
  --help                        this text

scripts/flink.sh is Flink's command line to it. ZooKeeper (the one in Flink) holds what must survive a job manager;
its files, checkpoints and savepoints lie below the cluster's folder. start begins without jobs, but keeps checkpoints
and savepoints, so that flink.sh run -s PATH goes on. Relative paths that a job manager is given begin at the checkout.

The cluster's folder holds
  endpoints.properties    flink.rest, and prometheus.ROLE and pid.ROLE of each process
  pids/ROLE               its pid; ROLE is zookeeper, jobmanager, taskmanager-1, taskmanager-2, …
  conf/ log/ checkpoints/ savepoints/

Environment (read by start):
  ENGAGEMENT_CLUSTER_DIR         the cluster's folder, also read by every other command (default target/cluster);
                                 each folder is a cluster of its own
  ENGAGEMENT_CLUSTER_SLOTS       slots of each task manager (default 4)
  ENGAGEMENT_CLUSTER_JM_MEMORY   size of the job manager's process (default 768m)
  ENGAGEMENT_CLUSTER_TM_MEMORY   size of a task manager's process (default 1024m)
  ENGAGEMENT_CLUSTER_TIMEOUT     seconds until a start that does not answer has failed (default 120)
  JAVA_HOME

Ports: 8081 for REST and the web UI (-Drest.port=0 takes any free one), 9249 and following for Prometheus, if they are
free; else others.
HELP
}

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

misused() {
  printf '%s; scripts/cluster.sh --help explains it\n' "$*" >&2
  exit 2
}

# Java finds files with letters beyond ASCII only in a locale that has them.
[[ $(locale charmap 2>/dev/null) == UTF-8 ]] || export LC_ALL=C.UTF-8

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=$(realpath -m "${ENGAGEMENT_CLUSTER_DIR:-$root/target/cluster}")
lib=$root/target/flink/lib
timeout=${ENGAGEMENT_CLUSTER_TIMEOUT:-120}
# What tells this cluster's processes from all others, even if their pid files are lost.
marker=-Dengagement.cluster=$dir

# ------------------------------------------------------------------------------------------------------- processes

# Pids of all processes of this cluster, or of one role.
processes() {
  local file cmdline=()
  for file in /proc/[0-9]*/cmdline; do
    { mapfile -d '' -t cmdline <"$file"; } 2>/dev/null || continue
    [[ " ${cmdline[*]} " == *" $marker -Dengagement.role=${1:-} "* ]] \
      || [[ $# -eq 0 && " ${cmdline[*]} " == *" $marker -Dengagement.role="* ]] || continue
    file=${file#/proc/}
    printf '%s\n' "${file%/cmdline}"
  done
}

# The living pid of a role; fails if there is none. A pid that now belongs to a stranger is none.
pid_of() {
  local pid cmdline=()
  [[ -s $dir/pids/$1 ]] || return 1
  pid=$(<"$dir/pids/$1")
  { mapfile -d '' -t cmdline <"/proc/$pid/cmdline"; } 2>/dev/null || return 1
  [[ " ${cmdline[*]} " == *" $marker -Dengagement.role=$1 "* ]] || return 1
  printf '%s\n' "$pid"
}

roles() {
  local file
  for file in "$dir"/pids/*; do
    [[ ! -f $file ]] || basename "$file"
  done | sort -V
}

# Ends the given processes: asks, waits, kills. A frozen process is thawed, so that it hears.
end() {
  local pids=("$@") left=() pid
  [[ ${#pids[@]} -gt 0 ]] || return 0
  kill -TERM "${pids[@]}" 2>/dev/null || true
  kill -CONT "${pids[@]}" 2>/dev/null || true
  for ((i = 0; i < 100; i++)); do
    left=()
    for pid in "${pids[@]}"; do
      [[ ! -e /proc/$pid ]] || grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null || left+=("$pid")
    done
    [[ ${#left[@]} -gt 0 ]] || return 0
    [[ $i -ne 60 ]] || kill -KILL "${left[@]}" 2>/dev/null || true
    sleep 0.1
  done
  fail "These processes survive SIGKILL: ${left[*]}"
}

sweep() {
  local pids=()
  mapfile -t pids < <(processes "$@")
  [[ ${#pids[@]} -gt 0 ]] || return 0
  printf 'swept %s leftover process(es): %s\n' "${#pids[@]}" "${pids[*]}"
  end "${pids[@]}"
}

# ------------------------------------------------------------------------------------------------------------ ports

taken=' '

is_free() {
  [[ $taken != *" $1 "* ]] && ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Sets port: the preferred one if nothing listens there, else (or if that is 0) a free one below those that outgoing
# connections take.
choose_port() {
  port=$1
  while [[ $port -eq 0 ]] || ! is_free "$port"; do
    port=$((20000 + RANDOM % 12000))
  done
  taken+="$port "
}

# ---------------------------------------------------------------------------------------------------- configuration

java_options() {
  configured env.java.opts.all
}

# A value of config.yaml.
configured() {
  sed -n "s/^${1//./\\.}: '\{0,1\}\([^']*\)'\{0,1\}\$/\1/p" "$dir/conf/config.yaml"
}

# A text as Java reads it in a .properties file, whose encoding has no letter beyond ISO-8859-1.
escaped() {
  local text=$1 out='' i char code
  for ((i = 0; i < ${#text}; i++)); do
    char=${text:i:1}
    printf -v code %d "'$char"
    if ((code > 65535)); then
      printf -v char '\\u%04x\\u%04x' $((0xd800 + ((code - 65536) >> 10))) $((0xdc00 + ((code - 65536) & 1023)))
    elif ((code > 126)) || [[ $char == \\ ]]; then
      printf -v char '\\u%04x' "$code"
    fi
    out+=$char
  done
  printf '%s' "$out"
}

# The folder in /tmp that stands for this cluster's, if Flink cannot take its name.
remove_ha_link() {
  local link
  [[ -f $dir/conf/config.yaml ]] || return 0
  link=$(configured high-availability.storageDir | sed -n 's|^file://\(/tmp/engagement-ha\.[A-Za-z0-9]*\)/ha$|\1|p')
  [[ -z $link ]] || rm -rf "$link"
}

# One file of key: value lines, each key once: the command line, then this cluster's, then what all clusters share.
write_configuration() {
  local -A given=()
  local pair line key link odd='[][:space:]"#%<>?[^`{|}\]'
  for pair in "$@"; do
    given[${pair%%=*}]=${pair#*=}
  done
  set_default() {
    [[ -n ${given[$1]+x} ]] || given[$1]=$2
  }
  if [[ ${given[rest.port]:-0} == 0 ]]; then
    choose_port $((first_attempt && ${#given[rest.port]} == 0 ? 8081 : 0))
    given[rest.port]=$port
  fi
  set_default rest.bind-port "${given[rest.port]}"
  choose_port 0
  set_default high-availability.zookeeper.quorum "127.0.0.1:$port"
  remove_ha_link
  mkdir -p "$dir/ha"
  given[high-availability.storageDir]=file://$dir/ha
  # Flink's store of jars writes such characters as %20 and the like, and would make a folder of that name beside this one.
  if [[ $dir =~ $odd ]]; then
    link=$(mktemp -d /tmp/engagement-ha.XXXXXX)
    ln -s "$dir/ha" "$link/ha"
    given[high-availability.storageDir]=file://$link/ha
  fi
  set_default execution.checkpointing.dir "file://$dir/checkpoints"
  set_default execution.checkpointing.savepoint-dir "file://$dir/savepoints"
  set_default jobmanager.memory.process.size "${ENGAGEMENT_CLUSTER_JM_MEMORY:-768m}"
  set_default taskmanager.memory.process.size "${ENGAGEMENT_CLUSTER_TM_MEMORY:-1024m}"
  set_default taskmanager.numberOfTaskSlots "${ENGAGEMENT_CLUSTER_SLOTS:-4}"
  set_default env.log.dir "$dir/log"
  {
    printf '# Written by scripts/cluster.sh start\n'
    while IFS= read -r line; do
      key=${line%%:*}
      [[ $line =~ ^[a-z] && -z ${given[$key]+x} ]] && printf '%s\n' "$line"
    done <"$root/src/cluster/config.yaml"
    for key in "${!given[@]}"; do
      printf "%s: '%s'\n" "$key" "${given[$key]//\'/\'\'}"
    done | sort
  } >"$dir/conf/config.yaml"

  cat >"$dir/conf/zoo.cfg" <<CFG
clientPort=${given[high-availability.zookeeper.quorum]##*:}
clientPortAddress=127.0.0.1
dataDir=$(escaped "$dir/zookeeper")
tickTime=1000
admin.enableServer=false
CFG
  cp "$root/src/cluster/log4j.properties" "$dir/conf/log4j.properties"
}

# Flink's own computation of heap, direct memory and metaspace, kept for restarts: OPTIONS line, then arguments line.
compute_memory() {
  local role=$1 command=$2 options output
  options=$(java_options)
  # shellcheck disable=SC2086 # several options in one value
  output=$("$java" -Xmx64m -XX:TieredStopAtLevel=1 $options "${archive_options[@]}" -cp "$lib/*" \
    org.apache.flink.runtime.util.bash.BashJavaUtils "$command" --configDir "$dir/conf" 2>&1) \
    || fail "The memory of a $role cannot be computed: $output"
  sed -n 's/^BASH_JAVA_UTILS_EXEC_RESULT://p' <<<"$output" >"$dir/conf/$role.memory"
  [[ $(wc -l <"$dir/conf/$role.memory") -eq 2 ]] || fail "The memory of a $role cannot be computed: $output"
}

write_endpoints() {
  local role pid
  {
    printf '# Where the cluster listens; written whenever one of its processes is started\n'
    printf 'flink.rest=http://127.0.0.1:%s\n' "$(configured rest.port)"
    for role in $(roles); do
      [[ ! -f $dir/conf/$role.prometheus ]] \
        || printf 'prometheus.%s=http://127.0.0.1:%s/metrics\n' "$role" "$(<"$dir/conf/$role.prometheus")"
      ! pid=$(pid_of "$role") || printf 'pid.%s=%s\n' "$role" "$pid"
    done
  } >"$dir/endpoints.properties.$$"
  mv "$dir/endpoints.properties.$$" "$dir/endpoints.properties"
}

# --------------------------------------------------------------------------------------------------------- starting

# launch ROLE MAIN [JVM OPTION …] -- [ARGUMENT …]
launch() {
  local role=$1 main=$2 options=() detach=()
  shift 2
  read -ra options < <(java_options)
  options+=("${archive_options[@]}")
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  ! command -v setsid >/dev/null || detach=(setsid)
  rm -rf "$dir/tmp/$role"
  mkdir -p "$dir/tmp/$role"
  # In a session of its own: Ctrl-C where this script was called is not for it. The lock is not for it either.
  (
    cd "$root"
    exec "${detach[@]}" "$java" "$marker" "-Dengagement.role=$role" "${options[@]}" -XX:+ExitOnOutOfMemoryError "-XX:ErrorFile=$dir/log/hs_err_%p.log" \
      "-Djava.io.tmpdir=$dir/tmp/$role" "-Dlog.file=$dir/log/$role.log" "-Dlog4j.configurationFile=$dir/conf/log4j.properties" \
      -cp "$lib/*" "$main" "$@" </dev/null >>"$dir/log/$role.out" 2>&1 {lock}>&-
  ) &
  printf '%s\n' $! >"$dir/pids/$role"
}

# launch_flink ROLE KIND MAIN, of which KIND names the memory
launch_flink() {
  local memory=() arguments=() options=() prometheus attempt
  {
    read -ra memory
    read -ra arguments
  } <"$dir/conf/$2.memory"
  read -ra options < <(configured "env.java.opts.$2") || true
  # The port of a process stays its own over restarts, if it can.
  prometheus=9249
  [[ $1 != taskmanager-* ]] || prometheus=$((9249 + ${1##*-}))
  if [[ -f $dir/conf/$1.prometheus ]]; then
    prometheus=$(<"$dir/conf/$1.prometheus")
    # A process that was killed just now may still be letting go of it.
    for ((attempt = 0; attempt < 20; attempt++)); do
      ! is_free "$prometheus" || break
      sleep 0.1
    done
  fi
  choose_port "$prometheus"
  printf '%s\n' "$port" >"$dir/conf/$1.prometheus"
  launch "$1" "$3" "${memory[@]}" "${options[@]}" -- --configDir "$dir/conf" "${arguments[@]}" \
    -D "metrics.reporter.prom.port=$port" -D "io.tmp.dirs=$dir/tmp/$1"
}

launch_zookeeper() {
  mkdir -p "$dir/zookeeper"
  # ZooKeeper would remove the election's container once it is empty, and a job manager whose session had expired, such
  # as a frozen one, would wait for ever for an election in it (CURATOR-724): so it looks for empty ones every 24 days.
  launch zookeeper org.apache.flink.runtime.zookeeper.FlinkZooKeeperQuorumPeer -Xmx64m -XX:TieredStopAtLevel=1 \
    -Dznode.container.checkIntervalMs=2147483647 -- \
    --zkConfigFile "$dir/conf/zoo.cfg" --peerId 1
}

launch_jobmanager() {
  launch_flink jobmanager jobmanager org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint
}

launch_taskmanager() {
  launch_flink "taskmanager-$1" taskmanager org.apache.flink.runtime.taskexecutor.TaskManagerRunner
}

# The answer of Flink's REST API; nothing if there is none.
rest() {
  # shellcheck disable=SC2016 # the inner shell's own variables
  timeout 5 bash -c '
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" "$2" >&3
    cat <&3' rest "$(configured rest.port)" "$1" 2>/dev/null | tail -n 1
}

# A number of /overview.
overview() {
  sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p" <<<"$1"
}

# await WHAT ROLE… -- CONDITION…: until the condition holds; fails, saying why, if one of these processes ends or
# timeout does.
await() {
  local what=$1 watched=() role deadline=$((SECONDS + timeout))
  shift
  while [[ $1 != -- ]]; do
    watched+=("$1")
    shift
  done
  shift
  until "$@"; do
    for role in "${watched[@]}"; do
      pid_of "$role" >/dev/null || { wait_failed "$role ended while starting" "$role"; return 1; }
    done
    [[ $SECONDS -lt $deadline ]] || { wait_failed "$what did not come within $timeout s" "${watched[@]}"; return 1; }
    sleep 0.2
  done
}

wait_failed() {
  local message=$1 role
  shift
  printf '%s\n' "$message" >&2
  for role in "$@"; do
    printf -- '--- the end of %s\n' "$dir/log/$role.log" >&2
    tail -qn 15 "$dir/log/$role.out" "$dir/log/$role.log" >&2 2>/dev/null || true
  done
}

zookeeper_listens() {
  ! is_free_now "$(configured high-availability.zookeeper.quorum | sed 's/.*://')"
}

is_free_now() {
  ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

leads() {
  has_taskmanagers 0
}

# Whether so many have registered, with a job manager of this cluster and not a stranger that took the port.
has_taskmanagers() {
  local registered
  registered=$(overview "$(rest /overview)" taskmanagers)
  [[ -n $registered && $registered -ge $1 ]] && rest /jobmanager/config | grep -qF "\"$(configured high-availability.storageDir)\""
}

# Sets archive_options to those with which a JVM of the cluster starts from an archive of classes, if there is one.
find_archive() {
  mapfile -t archive_options < <("$root/scripts/lib/class-archive.sh" --cluster options "$java")
}

find_java() {
  java=${JAVA_HOME:+$JAVA_HOME/bin/java}
  [[ -n $java ]] || java=$(command -v java) || fail "There is no java: install a JDK 17 and put it into PATH or JAVA_HOME"
  [[ -x $java ]] || fail "JAVA_HOME is '$JAVA_HOME', which has no bin/java: point it to a JDK 17"
}

# Again whenever the POM has changed. Clusters of this checkout share it, so that only one assembles it.
assemble_lib() {
  local stamp=$root/target/flink/pom.xml assembling
  mkdir -p "$root/target/flink"
  exec {assembling}>"$root/target/flink/lock"
  ! command -v flock >/dev/null || flock "$assembling"
  if cmp -s "$root/pom.xml" "$stamp"; then
    exec {assembling}>&-
    return
  fi
  printf 'assembling Flink from Maven artifacts…\n'
  rm -rf "$lib"
  (cd "$root" && ./mvnw -q -B -ntp -Dstyle.color=never dependency:copy-dependencies@cluster-lib)
  cp "$root/pom.xml" "$stamp"
  exec {assembling}>&-
}

need_cluster() {
  [[ -f $dir/conf/config.yaml && -d $dir/pids ]] || fail "There is no cluster in $dir; scripts/cluster.sh start makes one"
}

need_dead() {
  local pid
  ! pid=$(pid_of "$1") || fail "$1 runs already, pid $pid; kill it first"
  # One that a lost or overwritten pid file forgot.
  sweep "$1"
}

start() {
  local count=1 overrides=() i begin=$SECONDS started=() pids=() first_attempt
  if [[ ${1:-} =~ ^[0-9]+$ ]]; then
    count=$1
    shift
  fi
  while [[ $# -gt 0 ]]; do
    case $1 in
      -D) [[ ${2:-} == ?*=* ]] || misused "-D needs key=value, but got '${2:-}'"; overrides+=("$2"); shift 2 ;;
      -D?*=*) overrides+=("${1#-D}"); shift ;;
      *) misused "start takes a number of task managers and -Dkey=value, but got '$1'" ;;
    esac
  done
  ! pid_of jobmanager >/dev/null || fail "A cluster runs already in $dir; scripts/cluster.sh stop ends it"
  find_java
  assemble_lib
  find_archive
  sweep
  remove_ha_link
  rm -rf "$dir/pids" "$dir/conf" "$dir/log" "$dir/tmp" "$dir/ha" "$dir/zookeeper" "$dir/endpoints.properties"
  mkdir -p "$dir/pids" "$dir/conf" "$dir/log" "$dir/tmp"
  trap 'stop_after_failure' EXIT
  for first_attempt in 1 0; do
    write_configuration "${overrides[@]}"
    launch_zookeeper
    compute_memory jobmanager GET_JM_RESOURCE_PARAMS &
    compute_memory taskmanager GET_TM_RESOURCE_PARAMS
    wait $!
    launch_jobmanager
    started=()
    for ((i = 1; i <= count; i++)); do
      launch_taskmanager "$i"
      started+=("taskmanager-$i")
    done
    ! await "The cluster" zookeeper jobmanager "${started[@]}" -- has_taskmanagers "$count" || break
    [[ $first_attempt -eq 1 ]] && grep -qsE 'java.net.BindException|Futures timed out' "$dir"/log/*.log || exit 1
    # Or Pekko, which gives itself ten seconds to listen whatever is configured, was too slow on a busy machine.
    printf 'a port was taken by another process, or a process took too long to listen; once more\n'
    mapfile -t pids < <(processes)
    end "${pids[@]}"
    rm -rf "$dir/pids"/* "$dir/log"/* "$dir/conf"/*.prometheus "$dir/zookeeper" "$dir/ha"
  done
  write_endpoints
  trap - EXIT
  # For the next start; the lock is not for it.
  [[ ${#archive_options[@]} -gt 0 ]] \
    || ("$root/scripts/lib/class-archive.sh" --cluster make "$java" "$(pid_of jobmanager)" {lock}>&- &)
  printf 'started in %s s: %s, %s task manager(s) with %s slots each\n' $((SECONDS - begin)) \
    "http://127.0.0.1:$(configured rest.port)" "$count" "$(configured taskmanager.numberOfTaskSlots)"
}

stop_after_failure() {
  trap - EXIT
  printf 'The cluster did not start; its processes are stopped again, its logs are in %s\n' "$dir/log" >&2
  local pids=()
  mapfile -t pids < <(processes)
  end "${pids[@]}"
  rm -rf "$dir/pids"
  exit 1
}

stop() {
  local pids=()
  mapfile -t pids < <(processes)
  end "${pids[@]}"
  remove_ha_link
  rm -rf "$dir/pids" "$dir/tmp" "$dir/endpoints.properties"
  printf 'stopped %s process(es) of %s\n' "${#pids[@]}" "$dir"
}

status() {
  local role pid state memory answer complete=true
  if [[ ! -d $dir/pids ]]; then
    printf 'no cluster in %s\n' "$dir"
    return 3
  fi
  printf '%-15s %8s  %-8s %8s  %s\n' process pid state MiB listens
  for role in $(roles); do
    state=dead memory='' pid=''
    if pid=$(pid_of "$role"); then
      state=running
      ! grep -q '^State:.T' "/proc/$pid/status" || state=frozen
      memory=$(($(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status") / 1024))
    fi
    [[ $state == running ]] || complete=false
    printf '%-15s %8s  %-8s %8s  %s\n' "$role" "${pid:--}" "$state" "${memory:--}" "$(listens "$role")"
  done
  answer=$(rest /overview) || true
  if [[ -n $(overview "$answer" taskmanagers) ]]; then
    printf '%s task manager(s) registered, %s of %s slots free; jobs: %s running, %s finished, %s cancelled, %s failed\n' \
      "$(overview "$answer" taskmanagers)" "$(overview "$answer" slots-available)" "$(overview "$answer" slots-total)" \
      "$(overview "$answer" jobs-running)" "$(overview "$answer" jobs-finished)" \
      "$(overview "$answer" jobs-cancelled)" "$(overview "$answer" jobs-failed)"
  else
    printf 'no job manager answers\n'
    complete=false
  fi
  [[ $complete == true ]] || return 3
}

listens() {
  case $1 in
    zookeeper) configured high-availability.zookeeper.quorum ;;
    jobmanager) printf 'http://127.0.0.1:%s, metrics :%s' "$(configured rest.port)" "$(<"$dir/conf/$1.prometheus")" ;;
    *) printf 'metrics :%s' "$(<"$dir/conf/$1.prometheus")" ;;
  esac
}

restarted() {
  write_endpoints
  printf '%s is back in %s s\n' "$1" "$SECONDS"
}

# One command at a time changes a cluster.
lock_cluster() {
  mkdir -p "$dir"
  exec {lock}>"$dir/lock"
  ! command -v flock >/dev/null || flock -w "$timeout" "$lock" || fail "Another cluster.sh works on $dir (it holds $dir/lock)"
}

unlock_cluster() {
  ! command -v flock >/dev/null || flock -u "$lock"
}

[[ $# -gt 0 ]] || { usage >&2; exit 2; }
command=$1
shift
case $command in
  --help | -h | help) usage ;;
  start)
    lock_cluster
    start "$@"
    ;;
  stop)
    lock_cluster
    stop
    ;;
  status) status ;;
  start-zookeeper | start-jobmanager)
    [[ $# -eq 0 ]] || misused "$command takes no argument, but got '$1'"
    role=${command#start-}
    need_cluster
    find_java
    find_archive
    lock_cluster
    need_dead "$role"
    "launch_$role"
    # It may wait for another process that somebody has to start.
    unlock_cluster
    if [[ $role == zookeeper ]]; then
      await ZooKeeper zookeeper -- zookeeper_listens || exit 1
    else
      await "The job manager" jobmanager -- leads || exit 1
    fi
    restarted "$role"
    ;;
  start-taskmanager)
    [[ ${1:-} =~ ^[1-9][0-9]*$ ]] || misused "start-taskmanager needs its number"
    need_cluster
    find_java
    find_archive
    lock_cluster
    need_dead "taskmanager-$1"
    launch_taskmanager "$1"
    # Not awaited: it registers by itself, now or as soon as there is a job manager.
    restarted "taskmanager-$1"
    ;;
  *) misused "Unknown command '$command'" ;;
esac
