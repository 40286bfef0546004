# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# With what was $H_UNIT started, if it runs? Prints the words of its command line, one a line.

: "${H_UNIT:?}"
pid=$(systemctl show --property=MainPID --value "$H_UNIT")
if [ "${pid:-0}" -gt 0 ]; then
        tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" || :
fi
