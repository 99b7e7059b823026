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

asked=
shells=
term=
int=
for pid in $(processes); do
    [ "$pid" != $$ ] || continue
    # SigCgt of proc_pid_status(5): the bit of signal N is N - 1, so SIGINT has the bit 2 of the last digit, and SIGTERM
    # the bit 4 of the fourth from the end.
    case $(sed -n 's/^SigCgt:[^0-9a-f]*//p' "/proc/$pid/status" 2> /dev/null) in
        *[4567cdef]???) term="$term $pid" ;;
        *[2367abef])
            case $(readlink "/proc/$pid/exe") in
                */bash | */zsh | */*ksh*) shells="$shells $pid" ;;
                *) asked="$asked $pid" ;;
            esac
            ;;
        *) int="$int $pid" ;;
    esac
done
[ "$asked" ] || exit 0

# shellcheck disable=SC2086 # numbers
{
    kill -INT $shells $asked $int
    [ ! "$term" ] || kill -TERM $term
} 2> /dev/null

# What has ended, and is only still listed, has no program any more.
is_there() {
    readlink "/proc/$1/exe" > /dev/null
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
