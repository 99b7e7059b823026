#!/usr/bin/env bash
# A booted systemd to test on, thrown away afterwards.
#
# The container sees this machine's own files (compiler output, Python, everything) through an
# overlay: what it writes goes to memory and is gone when it stops. Nothing of this machine's own
# services is started in it, it has a network of its own (loopback only), a /tmp and a journal of
# its own, and two people: joe, who may use sudo without a password, and ann, who may not. With
# --root it sees another root's files instead (roots.sh has other Debians), with the systemd of that.
#
# All its mounts and processes live in namespaces that die with it, so there is nothing to unmount
# or to end, not even after a kill -9.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: tests/beds/systemd.sh with NAME [OPTION]... COMMAND...   boot, run, stop; COMMAND's exit status
       tests/beds/systemd.sh up   NAME [OPTION]...              boot, and keep it until `down`
       tests/beds/systemd.sh run  NAME COMMAND...               as root, with a clean environment
       tests/beds/systemd.sh down NAME                          stop and forget it
       tests/beds/systemd.sh list                               the names that are up
       tests/beds/systemd.sh log  NAME                          what its console said

  --bind DIR   one more folder that is the real one
  --root DIR   the files are those of the root in this folder, which stays as it is, and not this machine's
  --image DIR  the same, with nothing added to them: no people, and what is enabled is started

The checkout and the folders given with --bind are the real ones, at their own paths; any other
file is a copy that COMMAND may change at will. Needs root and the packages of packages.sh.
TEXT
}

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
SELF=$CHECKOUT/tests/beds/systemd.sh
BEDS=/run/install-service-beds

die() {
  echo "systemd.sh: $*" >&2
  exit 1
}

# The hierarchies of control groups that a systemd uses: the unified one, or beside it one of its own.
hierarchies() {
  local dir
  for dir in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
    [ ! -e "$dir/cgroup.procs" ] || echo "$dir"
  done
}

# --- inside the namespaces --------------------------------------------------------------------

# Makes the container's root under $1/root: that of $3 (this machine's is /), with some files of our own on top.
# Runs as process 1 of new mount and process namespaces; the last line becomes the container.
boot() {
  local bed=$1 name=$2 lower=$3 root=$1/root dir
  shift 3
  # A control group of its own: two containers in one would take each other's services for theirs.
  for dir in $(hierarchies); do
    mkdir -p "$dir/install-service-bed-$name"
    echo 0 > "$dir/install-service-bed-$name/cgroup.procs"
  done
  mount -t tmpfs -o mode=0755 bed "$bed/layer"
  mkdir "$bed/layer/up" "$bed/layer/work"
  mount -t overlay -o "lowerdir=$lower,upperdir=$bed/layer/up,workdir=$bed/layer/work" overlay "$root"
  mountpoint -q "$root"
  # systemd-nspawn's own notes would outlive it.
  mkdir -p /run/systemd/nspawn
  mount -t tmpfs notes /run/systemd/nspawn

  [ -n "${IMAGE-}" ] || prepare "$root" "$name"

  # joe and ann must be able to reach the bound folders, also below a private home.
  local options=()
  for dir in "$@"; do
    options+=("--bind=$dir")
    while dir=$(dirname "$dir") && [ "$dir" != / ]; do
      mkdir -p "$root$dir"
      chmod a+x "$root$dir"
    done
  done

  # Since 258 it knows control groups of the unified hierarchy only, which an older systemd-nspawn cannot know.
  local version
  version=$(chroot "$root" systemctl --version | sed --quiet '1s/^systemd \([0-9]*\).*/\1/p')
  [ "$version" -lt 258 ] || export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1

  exec systemd-nspawn --directory="$root" --machine="$name" --register=no --keep-unit --boot \
    --private-network --link-journal=no --resolv-conf=off --timezone=off --console=pipe "${options[@]}"
}

# prepare ROOT NAME: makes a copy of a machine one of its own.
prepare() {
  local root=$1 name=$2 dir kind file person
  # A machine without history: no enabled services, journals, lingering users or mounts but its own.
  for dir in /etc/systemd/system /etc/systemd/user /var/lib/systemd /var/log/journal; do
    rm -rf "${root:?}$dir"
    mkdir -p "$root$dir"
  done
  tr -d - < /proc/sys/kernel/random/uuid > "$root/etc/machine-id"
  : > "$root/etc/fstab"
  printf '127.0.0.1 localhost %s\n::1 localhost\n' "$name" > "$root/etc/hosts"
  echo "$name" > "$root/etc/hostname"
  # Tests write to the journal faster than any real service.
  mkdir -p "$root/etc/systemd/journald.conf.d"
  printf '[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\n' > "$root/etc/systemd/journald.conf.d/bed.conf"
  # A logout is over when the test goes on.
  mkdir -p "$root/etc/systemd/logind.conf.d"
  printf '[Login]\nUserStopDelaySec=1\n' > "$root/etc/systemd/logind.conf.d/bed.conf"
  # There are no disks or terminals here to make units of, and generators run at every daemon-reload, of which the tests ask
  # for hundreds: they are two thirds of its work.
  for kind in system user; do
    mkdir -p "$root/etc/systemd/$kind-generators"
    for file in "$root"/{usr/,}lib/systemd/"$kind-generators"/*; do
      [ ! -e "$file" ] || ln --symbolic --force /dev/null "$root/etc/systemd/$kind-generators/${file##*/}"
    done
  done
  # Where tests/probe writes what it was given, whatever its account.
  echo 'd /run/install-service-probe 1777' > "$root/etc/tmpfiles.d/bed.conf"

  for person in joe ann; do
    chroot "$root" id "$person" > /dev/null 2>&1 || chroot "$root" useradd --create-home --shell /bin/bash "$person"
  done
  # What a login of root or a person is by default, and not what this machine has added; ann may use serial ports.
  rm -f "$root"/root/.profile "$root"/root/.bash_profile "$root"/root/.bash_login
  chroot "$root" usermod --append --groups dialout ann
  echo 'joe ALL=(ALL:ALL) NOPASSWD: ALL' > "$root/etc/sudoers.d/bed"
  chmod 0440 "$root/etc/sudoers.d/bed"
}

# --- outside ----------------------------------------------------------------------------------

# The first child of process $1.
child_of() {
  local children
  children=$(cat "/proc/$1/task/$1/children" 2> /dev/null) && [ -n "$children" ] && echo "${children%% *}"
}

# The process id of NAME's systemd: `unshare` has one child, which has become systemd-nspawn, and
# that has one child, which becomes systemd.
init_of() {
  local pid
  pid=$(cat "$BEDS/$1/pid" 2> /dev/null) && pid=$(child_of "$pid") && pid=$(child_of "$pid") &&
    [ "$(cat "/proc/$pid/comm")" = systemd ] && echo "$pid"
}

is_up() {
  local pid
  pid=$(cat "$BEDS/$1/pid" 2> /dev/null) && [ -n "$pid" ] && [ -e "$BEDS/$1/log" ] &&
    [ "$(readlink "/proc/$pid/cwd" 2> /dev/null)" = "$BEDS/$1" ]
}

# start NAME TIE ROOT [DIR...]: boots the files of ROOT. TIE is yes if it must not outlive this script.
start() {
  local name=$1 tie=$2 lower=$3 bed=$BEDS/$1 tied=() pid
  shift 3
  [ "$(id -u)" = 0 ] || die "a container needs root: sudo $0 ..."
  command -v systemd-nspawn > /dev/null || die "systemd-nspawn is missing: apt-get install systemd-container"
  ! is_up "$name" || die "\`$name\` is up already; to stop it: $0 down $name"
  rm -rf "$bed"
  mkdir -p "$bed/layer" "$bed/root"
  [ "$lower" = / ] || touch "$bed/other-root"
  [ "$tie" != yes ] || tied=(setpriv --pdeathsig KILL)
  (cd "$bed" && exec setsid "${tied[@]}" unshare --mount --pid --fork --kill-child --mount-proc \
    "$SELF" _boot "$bed" "$name" "$lower" "$CHECKOUT" "$@") > "$bed/log" 2>&1 < /dev/null &
  pid=$!
  disown
  echo "$pid" > "$bed/pid"
  local waited state=
  for ((waited = 0; waited < 600; waited++)); do
    kill -0 "$pid" 2> /dev/null || break
    state=$(enter "$name" systemctl is-system-running 2> /dev/null) || true
    case $state in
      running) return 0 ;;
      degraded)
        enter "$name" systemctl --no-pager --failed >&2 || true
        break
        ;;
    esac
    sleep 0.1
  done
  tail -n 40 "$bed/log" >&2
  stop "$name"
  die "\`$name\` did not boot (it says \`${state:-nothing}\`)"
}

# What this machine's root may do and that of the container may not (systemd-nspawn(1), `--capability=`): a command that
# is sent in would bring it along, and could set this machine's clock.
NOT_INSIDE=-audit_control,-block_suspend,-bpf,-mac_admin,-mac_override,-perfmon,-sys_module,-sys_rawio,-sys_time,-syslog,-wake_alarm

# Moves this subshell to the control groups of process $1. What is outside of the container's is nobody to a logind since
# 253: it asks nothing of it ("Protocol driver not attached").
join() {
  local line dir
  while IFS= read -r line; do
    case $line in
      *:name=systemd:*) dir=/sys/fs/cgroup/systemd ;;
      0::*) for dir in /sys/fs/cgroup /sys/fs/cgroup/unified; do [ ! -e "$dir/cgroup.procs" ] || break; done ;;
      *) continue ;;
    esac
    [ ! -e "$dir${line##*:}/cgroup.procs" ] || echo "$BASHPID" > "$dir${line##*:}/cgroup.procs"
  done < "/proc/$1/cgroup"
}

# Runs a command inside as root, in the same folder if it exists there, else in /.
enter() {
  local init name=$1
  shift
  init=$(init_of "$name") || die "\`$name\` is not up"
  (
    [ ! -e "$BEDS/$name/other-root" ] || join "$init"
    # shellcheck disable=SC2016 # expanded inside
    exec setpriv --bounding-set "$NOT_INSIDE" nsenter --target "$init" --all -- env --ignore-environment \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root LOGNAME=root LC_ALL=C.UTF-8 \
      sh -c 'cd "$1" 2> /dev/null || cd /; shift; exec "$@"' sh "$PWD" "$@"
  )
}

stop() {
  local name=$1 pid
  if is_up "$name"; then
    # There is nothing worth an orderly shutdown: with `unshare` goes the process namespace.
    pid=$(cat "$BEDS/$name/pid")
    kill -KILL "$pid"
    while is_up "$name"; do sleep 0.05; done
  fi
  local dir tries
  for dir in $(hierarchies); do
    dir=$dir/install-service-bed-$name
    # A group lasts as long as a process that is on its way out.
    for ((tries = 0; tries < 40; tries++)); do
      [ -d "$dir" ] || break
      find "$dir" -depth -type d -exec rmdir {} + 2> /dev/null || sleep 0.05
    done
  done
  rm -rf "${BEDS:?}/$name"
}

main() {
  local verb=${1-} name=${2-} lower=/ binds=() status=0
  case $verb in
    -h | --help) usage && exit 0 ;;
    with | up | run | down | log)
      [[ $name =~ ^[a-z][a-z0-9-]*$ ]] || die "a NAME of a-z, 0-9 and - is needed, see --help"
      shift 2
      ;;
    list | _boot) shift ;;
    *) usage >&2 && exit 2 ;;
  esac
  if [[ $verb = with || $verb = up ]]; then
    while [[ ${1-} = --bind || ${1-} = --root || ${1-} = --image ]]; do
      [ -d "${2-}" ] || die "$1 needs a folder"
      case $1 in
        --bind) binds+=("$(cd "$2" && pwd -P)") ;;
        --root) lower=$(cd "$2" && pwd -P) ;;
        --image) lower=$(cd "$2" && pwd -P) && export IMAGE=yes ;;
      esac
      shift 2
    done
  fi
  case $verb in
    _boot) boot "$@" ;;
    up) start "$name" no "$lower" "${binds[@]}" ;;
    run) enter "$name" "$@" ;;
    down) stop "$name" ;;
    log) cat "$BEDS/$name/log" ;;
    with)
      [ $# -gt 0 ] || die "with: no command"
      trap 'stop "$name"' EXIT
      trap 'exit 130' INT
      trap 'exit 143' TERM HUP
      start "$name" yes "$lower" "${binds[@]}"
      enter "$name" "$@" || status=$?
      exit "$status"
      ;;
    list)
      for name in "$BEDS"/*/; do
        name=$(basename "$name")
        ! is_up "$name" || echo "$name"
      done
      ;;
  esac
}

main "$@"
