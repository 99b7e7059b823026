{{ signature }}
# systemd runs it when the service has ended (ExecStopPost= of systemd.service(5)), in the working directory of the
# service{% if system %}, as root{% endif %}. When the service died of an error, it adds an entry to the error log: when, how it ended, and what
# it said last.

# Nothing of the service's environment counts here, and nothing keeps a stop waiting.
[ "$1" = now ] || exec /usr/bin/timeout --kill-after=1 20 /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
{%- if !system %}
    XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR" \
{%- endif %}
    SERVICE_RESULT="$SERVICE_RESULT" EXIT_CODE="$EXIT_CODE" EXIT_STATUS="$EXIT_STATUS" \
    INVOCATION_ID="$INVOCATION_ID" /bin/sh "$0" now{% if template %} "$1"{% endif %}
{%- if template %}
unit=$2
{%- endif %}

case $SERVICE_RESULT/$EXIT_CODE/$EXIT_STATUS in
    success/killed/PIPE)
        # systemd counts an end by SIGPIPE as clean (SuccessExitStatus= of systemd.service(5)), but nobody has asked for
        # it, unless the service is being stopped: then there is a job for that.
        case $(systemctl {% if !system %}--user {% endif %}list-jobs --no-legend {% if template %}"$unit"{% else %}{{ name }}{% endif %}.service) in
            *" stop "* | *" restart "*) exit ;;
        esac
        ;;
    success/*) exit ;;
{%- if python %}
    exit-code/exited/? | exit-code/exited/?? | exit-code/exited/1??)
{%- if let Some(account) = account %}
        # The service has written its traceback itself, if this is a directory of its account.
        case " $(stat -c '%U %u' .) " in
            *" "{{ account }}" "*) exit ;;
        esac
        ;;
{%- else %}
        # The service has written its traceback itself.
        exit
        ;;
{%- endif %}
{%- endif %}
esac

entry() {
    echo "$(date -Iseconds) {% if template %}$unit{% else %}{{ name }}{% endif %} $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS"
    cause
    last_lines | tail -c 262144 # a single one can have hundreds of megabytes
    echo
}

# What the program could not say itself.
cause() {
    case $SERVICE_RESULT/$EXIT_STATUS in
        exit-code/126) echo 'cause: a program that it starts may not be executed' ;;
        exit-code/127) echo 'cause: a program or a library that it needs was not found' ;;
        exit-code/200) echo 'cause: the working directory is not there, or closed to the account' ;;
        exit-code/203) echo 'cause: the program could not be executed' ;;
{%- if log_file.is_some() %}
        exit-code/209) echo 'cause: its log file could not be opened' ;;
{%- endif %}
        exit-code/216 | exit-code/217) echo 'cause: there is no such account or group' ;;
        exit-code/218 | exit-code/226 | exit-code/228) echo 'cause: the hardening could not be set up' ;;
        exit-code/243) echo 'cause: its secrets could not be read' ;;
        */SYS | exit-code/159) echo 'cause: a filter of system calls ended it, such as that of a hardening profile' ;;
        oom-kill/*) echo 'cause: memory ran out' ;;
        signal/KILL) echo 'cause: it was killed, by somebody or because memory ran out' ;;
        start-limit-hit/*) echo 'cause: it was started too often' ;;
        timeout/*) echo 'cause: it took longer to start or to stop than its unit allows' ;;
    esac
}

last_lines() {
{%- if let Some(path) = log_file %}
{%- if system %}
    # With no more rights than the owner of the error log has: the account may have put a link there.
    # shellcheck disable=SC2086 # words of a command, or none
    $as_owner tail -n 50 -- {{ path }}
{%- else %}
    tail -n 50 -- {{ path }}
{%- endif %}
{%- else %}
{%- if system %}
    journalctl --sync
{%- else %}
    # Only root can ask journald to catch up.
    sleep 1
{%- endif %}
    # Of a process that has ended before journald looks at it the run is not known, so what its output is called counts
    # too, from the time on when the run began.
    since=$(systemctl {% if !system %}--user {% endif %}show --value -p InactiveExitTimestamp {% if template %}"$unit"{% else %}{{ name }}{% endif %}.service)
    journalctl -q -o cat -n 50 ${since:+"--since=$since"} \
        "_SYSTEMD_INVOCATION_ID=$INVOCATION_ID" + SYSLOG_IDENTIFIER={% if template %}"$unit"{% else %}{{ name }}{% endif %} _TRANSPORT=stdout \
        "_UID=$(id -u{% if let Some(account) = account %} -- {{ account }}{% endif %})"
{%- endif %}
}

# Adds standard input to the file $1. Whoever may write in the directory can have put anything there: a link, a pipe, a
# huge file. So nothing that is there is opened to be written. A new file, for its owner alone, begins with what is
# known to be an earlier log, if that has at most 1 MiB, and takes its place.
# shellcheck disable=SC2016 # expanded by the shell that runs it
add='
    umask 077
    new=$(mktemp "./.$1.XXXXXX") || exit
    trap "rm -f $new" EXIT
    trap "exit 1" HUP INT TERM
    {
        earlier=$(find "./$1" -prune -type f -links 1 -user "$(id -u)" -size -2049 2> /dev/null)
        [ -z "$earlier" ] || dd if="$earlier" iflag=nofollow,nonblock,fullblock bs=1M count=1 status=none
        cat
    } > "$new" && mv -fT "$new" "./$1"
'
{%- if system %}
# Not as root, but as the owner of the directory: the entry is for both.
owner=$(stat -c %u .)
as_owner=
[ "$owner" = 0 ] || as_owner="setpriv --reuid=$owner --regid=$(stat -c %g .) --clear-groups --no-new-privs --"
# shellcheck disable=SC2086 # words of a command, or none
entry | $as_owner /bin/sh -c "$add" add {{ name }}_ERROR_LOG.txt
{%- else %}
entry | /bin/sh -c "$add" add {{ name }}_ERROR_LOG.txt
{%- endif %}
