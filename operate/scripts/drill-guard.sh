# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# drill-guard PENDING NEW KILL-SEC POWER-SEC TRIES PAUSE-SEC COMMAND...: runs on the driving machine, and has COMMAND put a host back, when
# its input ends without a word: so when we do. PENDING is the file that says what is broken, or "": it is locked until then, and
# says so afterwards, by NEW. Deaf for Ctrl-C, which is for us: we put back then, or the end of its input tells it to. If the disk is
# full, the file goes on saying that the host is broken, and it is put back once more.

trap '' HUP INT QUIT TERM
pending=$1 new=$2 kill_sec=$3 power_sec=$4 tries=$5 pause_sec=$6 n=0
shift 6
if [ -n "$pending" ]; then
        exec 9<"$pending"
        flock 9
fi
read -r _ && exit
until timeout -k "$kill_sec" "$power_sec" "$@" >/dev/null 2>&1 9<&-; do
        [ $((n += 1)) -lt "$tries" ] || exit
        sleep "$pause_sec"
done
if [ -n "$pending" ]; then
        umask 077
        if printf '{"since": "%s"}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$new" && sync -- "$new"; then
                mv -f -- "$new" "$pending" && exit
        fi
        rm -f -- "$new"
fi
