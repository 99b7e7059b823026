{{ signature }}
# systemd runs it when the service is to stop (ExecStop= of systemd.service(5)). Many programs handle Ctrl-C, which is
# SIGINT, and not SIGTERM, which systemd asks by: Python by itself (`finally:` is carried out, files are closed), others
# because somebody ended them in a terminal when they were written. So where a process handles SIGINT alone, all are
# asked at once, as by Ctrl-C in a terminal, but with SIGTERM those that handle it, and those that handle SIGINT have the
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

# What `/proc/PID/status` says of a process.
stated() {
    sed -n "s/^$1:[[:blank:]]*//p" "/proc/$2/status" 2> /dev/null
}

# What has ended, and is only still listed, is a zombie, or dead.
is_there() {
    case $(stated State "$1") in
        '' | [ZX]*) return 1 ;;
    esac
}

# Which signals processes handle, as the kernel tells everybody: five words for each that is still there, of which the
# second is its number and the last the signals.
handled() {
    # shellcheck disable=SC2046 # paths without blanks
    grep -s '^SigCgt:' /dev/null $(printf '/proc/%s/status ' "$@") | tr '/:' '  '
}

# `/proc/PID/exe` is closed where a process has been given more rights than whoever looks (proc_pid_exe(5)), such as by
# capabilities of its program; its name counts then.
program() {
    readlink "/proc/$1/exe" 2> /dev/null || echo "/$(stated Name "$1")"
}

# What an interpreter was given, and what it reads: of its words the first that is a file.
script() {
    words=$(tr '\0' '\n' < "/proc/$1/cmdline" | sed 1d)
    printf '%s\n' "$words"
    cd "/proc/$1/cwd" || return
    printf '%s\n' "$words" | while IFS= read -r word; do
        if [ -f "$word" ]; then
            head -c 1000000 "$word"
            break
        fi
    done
}

# Whether that names SIGINT and not SIGTERM, in lines with $2.
names_int() {
    case $(script "$1" 2> /dev/null | grep -a "$2" | grep -aowE '(SIG)?(INT|TERM)') in
        *TERM*) return 1 ;;
        *INT*) ;;
        *) return 1 ;;
    esac
}

# systemd stops it, too, when its program has ended by itself. What still runs then, and is not just ending, is what the
# program has put into the background.
if [ "$EXIT_CODE" ]; then
    sleep 0.2
    for pid in $(processes); do
        if [ "$pid" != $$ ] && is_there "$pid"; then
            echo "left in the background: $(stated Name "$pid")"
        fi
    done
fi

asked=
shells=
term=
int=
# Listed first: what lists them has ended when they are looked at.
pids=$(processes)
# shellcheck disable=SC2046,SC2086 # numbers, and words without blanks
set -- $(handled $pids)
while [ $# -ge 5 ]; do
    pid=$2 signals=$5
    shift 5
    [ "$pid" != $$ ] || continue
    # SigCgt of proc_pid_status(5): the bit of signal N is N - 1, so SIGINT has the bit 2 of the last digit, and SIGTERM
    # the bit 4 of the fourth from the end.
    case $signals in
        *[4567cdef]???)
            # Node handles both by itself, and ends; what its script handles is not to be seen.
            case $(program "$pid") in
                */node) if names_int "$pid" SIG; then asked="$asked $pid"; else term="$term $pid"; fi ;;
                *) term="$term $pid" ;;
            esac
            ;;
        *[2367abef])
            # Shells handle SIGINT, whether their script does or not. A script has the name of its file, so the program
            # counts.
            case $(program "$pid") in
                */sh | */ash | */bash | */busybox | */dash | */*ksh* | */zsh)
                    if names_int "$pid" 'trap '; then asked="$asked $pid"; else shells="$shells $pid"; fi
                    ;;
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
