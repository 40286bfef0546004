# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Holds the node for one run of hardway: for as long as a byte comes in every H_SECONDS. When the other side
# goes away the input ends, and when it falls asleep (a closed laptop) it is silent; both let go of the lock.
#
# A node that is short of everything may be what takes so long: the time is over before dd is even there to see what
# waits for it. Hence a second try, which finds that at once.

umask 022
mkdir -p run/hardway
# whoever can read it can lock it: that is root's alone
umask 077
exec 9>>run/hardway/run.lock
chmod 0600 run/hardway/run.lock
if ! flock -n 9; then
        # a session that has ended may still be on its way out here, and one of this very run is for certain
        read -r holder <run/hardway/run.lock || :
        grace=2
        if [ "$holder" = "$H_HOLDER" ]; then
                grace=30
        fi
        if ! flock -w "$grace" 9; then
                read -r holder <run/hardway/run.lock || :
                fail busy "${holder:-unknown}"
        fi
fi
printf '%s\n' "$H_HOLDER" >run/hardway/run.lock
echo locked
hear() {
        [ -n "$(timeout "$H_SECONDS" dd bs=1 count=1 2>/dev/null 9>&-)" ]
}
while hear || hear; do
        :
done
: >run/hardway/run.lock
