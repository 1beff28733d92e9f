#!/usr/bin/env bash
# The class data sharing archive with which the JVMs of the local stack start: classes of the dependencies, parsed and
# verified already, which every JVM maps instead of reading them from their jars.
#
#   scripts/lib/class-archive.sh options JAVA              prints the options, one a line, with which JAVA uses the archive
#                                                          that fits it and target/classpath.txt; nothing if there is none
#   scripts/lib/class-archive.sh make JAVA                 makes it, if there is none; says why if it cannot
#   scripts/lib/class-archive.sh make JAVA PARENT [STAMP]  the same in the background of the process PARENT: as nobody's
#                                                          hurry, in silence, and no longer than PARENT lives. With STAMP
#                                                          beside a build, which leaves a processor idle much of the time:
#                                                          in a hurry for as long as STAMP is there, and not before
#                                                          target/classpath.txt is newer. What failed is tried again after
#                                                          an hour
#   scripts/lib/class-archive.sh list JAVA                 writes src/main/cds/classes.lst anew, the list of what is put
#                                                          into it: what the JVMs of scripts/local.sh load until they show
#                                                          their first events, and scripts/audit.sh and its like
#
# With --cluster before the command: of the JVMs of scripts/cluster.sh and flink.sh, whose class path is target/flink/lib/*.
#
# An archive is named for what it was made of: name, size and time of every jar, of the JVM and of the list. Whatever else
# is wrong with one, -Xshare:auto finds out, and the JVM starts without. A JVM may use it if its class path begins with
# target/classpath.txt as it stands. JDK 17 archives no class of a jar whose path a URL encodes, such as one with a space.
#
# ENGAGEMENT_LOCAL_CLASS_ARCHIVE=off: none is used, and none made.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

dir=$PWD/target/class-archive
kind=stack
lib=$PWD/target/flink/lib
list=src/main/cds/classes.lst
retry_minutes=60

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

usage() {
  sed -n '2,/^set -e/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed '$d'
}

# Sets archive to where the one for this JVM and these jars is, or would be, and class_path.
name_archive() {
  local jars=() home made_of
  [[ -s $list ]] || fail "There is no $list"
  if [[ $kind == cluster ]]; then
    # As the cluster has it: java sorts * as the folder does.
    class_path="$lib/*"
    jars=("$lib"/*.jar)
  else
    [[ -s target/classpath.txt ]] || fail "There is no target/classpath.txt; scripts/local.sh builds it"
    class_path=$(<target/classpath.txt)
    IFS=: read -r -a jars <<<"$class_path"
  fi
  home=$(dirname "$(dirname "$(readlink -f "$java")")")
  made_of=$(stat -L -c '%n %s %Y' "${jars[@]}" "$home/lib/server/libjvm.so" "$home/lib/modules" "$list" 2>/dev/null) \
    || fail "The class path or the JVM at $home cannot be read"
  archive=$dir/$kind-$(sha256sum <<<"$made_of" | cut -c1-32).jsa
}

# As what nobody waits for: all its threads, since each has a priority of its own.
make_idle() {
  local threads=(/proc/"$1"/task/*)
  renice -n 19 -p "${threads[@]##*/}" >/dev/null 2>&1 || true
  chrt --idle --all-tasks --pid 0 "$1" >/dev/null 2>&1 || true
}

# Ends with its own result, or with 1 as soon as the process PARENT has gone.
wait_for() {
  local pid=$1 hurried=$stamp
  while [[ -n $parent ]] && kill -0 "$pid" 2>/dev/null; do
    if [[ -n $hurried && ! -e $hurried ]]; then
      hurried=
      make_idle "$pid"
    fi
    if ! kill -0 "$parent" 2>/dev/null; then
      kill "$pid" 2>/dev/null || true
      wait "$pid" 2>/dev/null || true
      return 1
    fi
    sleep 0.2
  done
  wait "$pid"
}

make_archive() {
  local lock log nicely=() result=0
  name_archive
  [[ ! -s $archive ]] || return 0
  if ! mkdir -p "$dir" 2>/dev/null || [[ ! -w $dir ]]; then
    fail "No class archive can be made: $dir is not a folder that can be written to"
  fi
  log=${archive%.jsa}.log
  if [[ -n $parent && -n $(find "$log" -mmin "-$retry_minutes" 2>/dev/null) ]]; then
    fail "A class archive could not be made a short while ago, see $log"
  fi
  { exec {lock}>"$dir/$kind.lock"; } 2>/dev/null || fail "No class archive can be made: $dir/$kind.lock cannot be written"
  if command -v flock >/dev/null && ! flock -n "$lock"; then
    # It makes the same one, unless the jars have changed meanwhile: then the next start makes that.
    [[ -z $parent ]] || return 0
    flock "$lock"
    [[ ! -s $archive ]] || return 0
  fi
  rm -f "$dir/$kind"-*.new
  new=${archive%.jsa}.$$.new
  if [[ -n $parent && (-z $stamp || ! -e $stamp) ]]; then
    nicely=(nice -n 19)
    ! chrt --idle 0 true 2>/dev/null || nicely+=(chrt --idle 0)
  fi
  # One compiler and one collecting thread: who is beside it has the other processors. G1, as only that one puts objects
  # into an archive, which JVMs with any collector take.
  "${nicely[@]}" "$java" -Xshare:dump "-XX:SharedArchiveFile=$new" "-XX:SharedClassListFile=$list" -Xmx512m \
    -XX:ActiveProcessorCount=1 -XX:TieredStopAtLevel=1 -XX:+UseG1GC -XX:-UsePerfData -Xlog:disable -Xlog:all=error:stdout \
    -cp "$class_path" >"$log" 2>&1 {lock}>&- &
  dump=$!
  # What a script starts in the background does not hear Ctrl-C.
  trap 'kill "$dump" 2>/dev/null || true; rm -f "$new"' EXIT
  wait_for "$dump" || result=$?
  trap - EXIT
  if [[ $result -eq 0 && -s $new ]]; then
    # On the disk before it has its name: a power cut leaves a whole archive or none.
    sync "$new" 2>/dev/null || true
    mv "$new" "$archive"
    find "$dir" -maxdepth 1 -type f \( -name "$kind-*.jsa" -o -name "$kind-*.log" \) ! -path "$archive" -delete
    return 0
  fi
  rm -f "$new"
  if [[ -n $parent ]] && ! kill -0 "$parent" 2>/dev/null; then
    rm -f "$log"
    return 1
  fi
  fail "The class archive could not be made: the JVM ended with exit code $result, see $log: $(tail -n 1 "$log" 2>/dev/null)"
}

write_list() {
  local into=$PWD/target/class-list stack endpoints=target/local/endpoints.properties new=target/class-list/classes.lst
  rm -rf "$into"
  mkdir -p "$into"
  # Before the first JVM starts: what is recorded while an archive is in use lacks what comes from it.
  export ENGAGEMENT_LOCAL_CLASS_ARCHIVE=off
  touch "$into/started"
  # Builds, where needed, since Maven's JVM is not to be recorded; and then refuses the option.
  scripts/local.sh --only-build >/dev/null 2>&1 || [[ $? -eq 2 ]] || fail "It cannot be built: ./mvnw process-classes says why"
  JAVA_TOOL_OPTIONS="-XX:DumpLoadedClassList=$into/%p.classes" scripts/local.sh >"$into/local.log" 2>&1 &
  stack=$!
  # TERM: what a script starts in the background ignores SIGINT.
  trap 'kill -TERM "$stack" 2>/dev/null || true; wait "$stack" || true' EXIT
  printf 'the stack runs, and is looked at until events are in Redis, in BigQuery and at the receiver…\n'
  until grep -qE 'in Redis [1-9].*in BigQuery [1-9].*delivered [1-9]' "$into/local.log"; do
    kill -0 "$stack" 2>/dev/null || fail "The stack ended: $(tail -n 20 "$into/local.log")"
    sleep 0.5
  done
  [[ $endpoints -nt $into/started ]] || fail "$endpoints is not of this stack"
  export JAVA_TOOL_OPTIONS="-XX:DumpLoadedClassList=$into/%p.classes"
  scripts/audit.sh --audit.settle '1 s' >"$into/audit.log" 2>&1 || printf 'audit ended with exit code %s\n' $?
  scripts/backfill.sh --dry-run >"$into/backfill.log" 2>&1 || printf 'backfill ended with exit code %s\n' $?
  scripts/redrive.sh --reason INVALID --dry-run >"$into/redrive.log" 2>&1 || printf 'redrive ended with exit code %s\n' $?
  unset JAVA_TOOL_OPTIONS
  kill -TERM "$stack"
  wait "$stack" || true
  trap - EXIT
  # Ours come from a folder, which no archive takes. Classes come before what needs them.
  {
    sed 's/ id:.*//; /^[#@]/d; /^dev\/engagement\//d' "$into"/*.classes | LC_ALL=C sort -u
    sed -n '/^@lambda-proxy dev\/engagement\//d; /^@/p' "$into"/*.classes | LC_ALL=C sort -u
  } >"$into/all"
  # Without what an archive cannot find, such as what Flink unpacks for a class loader of its own.
  "$java" -Xshare:dump "-XX:SharedArchiveFile=$into/trial.jsa" "-XX:SharedClassListFile=$into/all" -Xmx512m \
    -Xlog:disable -Xlog:cds=warning:stdout -cp "$(<target/classpath.txt)" >"$into/trial.log" 2>&1
  sed -n 's/.*Preload Warning: Cannot find //p' "$into/trial.log" | LC_ALL=C sort -u >"$into/missing"
  awk -v missing="$into/missing" '
    BEGIN { while ((getline name <missing) > 0) unknown[name] }
    $1 == "@lambda-proxy" { if ($2 in known) print; next }
    !($1 in unknown) { known[$1]; print }' "$into/all" >"$new"
  mv "$new" "$list"
  rm -rf "$into"
  printf '%s has %s lines now\n' "$list" "$(wc -l <"$list")"
}

[[ $# -gt 0 ]] || { usage >&2; exit 2; }
if [[ $1 == --cluster ]]; then
  kind=cluster
  shift
fi
command=${1:-}
java=${2:-}
parent=${3:-}
stamp=${4:-}
case $command in
  --help | -h)
    usage
    exit 0
    ;;
  options | make | list) [[ -x $java ]] || fail "$command needs the path of a java, but got '$java'" ;;
  *) fail "Unknown command '$command'; --help explains" ;;
esac
[[ $command == list || ${ENGAGEMENT_LOCAL_CLASS_ARCHIVE:-on} != off ]] || exit 0

case $command in
  options)
    name_archive 2>/dev/null
    [[ -s $archive ]] || exit 0
    # Where it was made for: JVMs share its memory, and need not move its pointers.
    printf '%s\n' -Xshare:auto "-XX:SharedArchiveFile=$archive" -XX:+UnlockDiagnosticVMOptions \
      -XX:ArchiveRelocationMode=0 '-Xlog:cds*=off' "-Dengagement.local.class-archive=$archive"
    ;;
  make)
    if [[ -n $parent ]]; then
      exec >/dev/null 2>&1 </dev/null
      until [[ -z $stamp || ! -e $stamp || target/classpath.txt -nt $stamp ]]; do
        kill -0 "$parent" || exit 1
        sleep 0.2
      done
    fi
    make_archive
    ;;
  list) write_list ;;
esac
