# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Why H_UNIT is not well: what systemd knows, and the last lines of this boot that it or the unit wrote.

section state
systemctl show -p ActiveState,SubState,Result,ExecMainCode,ExecMainStatus,NRestarts -- "$H_UNIT" || :

section journal
journalctl -b -u "$H_UNIT" -n 10 -o cat --no-pager -q 2>/dev/null || :
