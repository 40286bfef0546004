# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Users that came with hardway, also for a plan that was given up: whoever makes them writes them down, and those that were there before
# stay. $keep are those whose data stays.

: "${keep?}"
if [ -s /var/lib/hardway/users ]; then
        # shellcheck disable=SC2094 # sed puts another file into its place, and this one is read to its end
        while read -r user; do
                case $user in '' | -* | *[!A-Za-z0-9_-]*) continue ;; esac
                case " $keep " in *" $user "*) continue ;; esac
                if getent passwd "$user" >/dev/null; then userdel "$user"; fi
                if getent group "$user" >/dev/null; then groupdel "$user"; fi
                sed -i "/^$user\$/d" /var/lib/hardway/users
        done </var/lib/hardway/users
fi
