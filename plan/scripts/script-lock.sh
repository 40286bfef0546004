# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# The lock of the machine, as hardway install takes it from wherever it is started: one of them at a time. File descriptor 9 has it until this
# shell ends, however it ends. One that was just let go is waited for.
(umask 022 && mkdir -p /run/hardway)
exec 9>>/run/hardway/run.lock
flock -n 9 || { sleep 2 && flock -n 9; } || {
        read -r holder </run/hardway/run.lock || :
        die "in use by ${holder:-unknown}; nothing was changed"
}
echo "${SUDO_USER:-$(id -un)}@$(uname -n) since $(date -u +%Y-%m-%dT%H:%M:%SZ): the script of hardway plan (process $$)" >/run/hardway/run.lock
