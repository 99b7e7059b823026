{{ signature }}
# systemd runs it when the service is to stop (ExecStop= of systemd.service(5)). Python handles Ctrl-C, which is SIGINT,
# by itself: `finally:` is carried out, files are closed. For SIGTERM it does none of that, unless the program handles
# that. So where a process handles SIGINT and not SIGTERM, all are asked at once, as by Ctrl-C in a terminal, but with
# SIGTERM those that handle it, and those that handle SIGINT have the time that a stop may take (TimeoutStopSec=). Then
# systemd asks what is left, with SIGTERM.

PATH=/usr/bin:/bin

processes() {
    group=$(sed -n 's/^0:://p; s/^[0-9]*:name=systemd://p' /proc/self/cgroup | head -n 1)
    for mount in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
        # With Delegate= this very command has a group of its own below that of the service.
        cat "$mount${group%/.control}/cgroup.procs" 2> /dev/null && return
    done
    echo "$MAINPID"
}

# What the kernel says of a process, which everybody may read: `/proc/PID/exe` is closed where a process has been given
# more rights than whoever looks (proc_pid_exe(5)), such as by capabilities of its program.
stated() {
    sed -n "s/^$1:[[:blank:]]*//p" "/proc/$2/status" 2> /dev/null
}

asked=
shells=
term=
int=
for pid in $(processes); do
    [ "$pid" != $$ ] || continue
    # SigCgt of proc_pid_status(5): the bit of signal N is N - 1, so SIGINT has the bit 2 of the last digit, and SIGTERM
    # the bit 4 of the fourth from the end.
    case $(stated SigCgt "$pid") in
        *[4567cdef]???) term="$term $pid" ;;
        *[2367abef])
            # A script has the name of its file, so the program counts; not everybody may see that of every process.
            case $(readlink "/proc/$pid/exe" || echo "/$(stated Name "$pid")") in
                */bash | */zsh | */*ksh*) shells="$shells $pid" ;;
                *) asked="$asked $pid" ;;
            esac
            ;;
        *) int="$int $pid" ;;
    esac
done
[ "$asked" ] || exit 0

# Prints those of the given processes that could be asked: nobody waits for another one.
ask() {
    for pid in "$@"; do
        kill -INT "$pid" 2> /dev/null && echo "$pid"
    done
}

# shellcheck disable=SC2086 # numbers
{
    shells=$(ask $shells)
    asked=$(ask $asked)
    ask $int > /dev/null
    [ ! "$term" ] || kill -TERM $term 2> /dev/null
}

# What has ended, and is only still listed, is a zombie, or dead.
is_there() {
    case $(stated State "$1") in
        '' | [ZX]*) return 1 ;;
    esac
}

for pid in $asked; do
    while is_there "$pid"; do sleep 0.1; done
done
# bash ends where Ctrl-C has ended its program, and else goes on with its next line, which may be the same one again: it
# has 5 seconds.
left=50
for pid in $shells; do
    while is_there "$pid" && [ "$left" -gt 0 ]; do
        sleep 0.1
        left=$((left - 1))
    done
done
