# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Holds the node for one run of hardway: for as long as a byte comes in every H_SECONDS. When the other side
# goes away the input ends, and when it falls asleep (a closed laptop) it is silent; both let go of the lock.

umask 022
mkdir -p run/hardway
exec 9>>run/hardway/run.lock
if ! flock -n 9; then
        read -r holder <run/hardway/run.lock || :
        fail busy "${holder:-unknown}"
fi
printf '%s\n' "$H_HOLDER" >run/hardway/run.lock
echo locked
while [ -n "$(timeout "$H_SECONDS" dd bs=1 count=1 2>/dev/null 9>&-)" ]; do
        :
done
: >run/hardway/run.lock
