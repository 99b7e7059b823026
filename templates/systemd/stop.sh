{{ signature }}
# systemd runs it when the service is to stop (ExecStop= of systemd.service(5)). Python handles Ctrl-C, which is SIGINT,
# by itself: `finally:` is carried out, files are closed. For SIGTERM it does none of that, unless the program handles
# that. So each process that handles SIGINT and not SIGTERM is sent the former, as by Ctrl-C in a terminal, and has the
# time that a stop may take (TimeoutStopSec=). Then systemd asks what is left, with SIGTERM.

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
for pid in $(processes); do
    # SigCgt of proc_pid_status(5): the bit of signal N is N - 1, so SIGINT has the bit 2 of the last digit, and SIGTERM
    # the bit 4 of the fourth from the end.
    case $(sed -n 's/^SigCgt:[^0-9a-f]*//p' "/proc/$pid/status" 2> /dev/null) in
        *[012389ab]??[2367abef]) [ "$pid" = $$ ] || ! kill -INT "$pid" || asked="$asked $pid" ;;
    esac
done

for pid in $asked; do
    # What has ended, and is only still listed, has no program any more.
    while readlink "/proc/$pid/exe" > /dev/null; do
        sleep 0.1
    done
done
