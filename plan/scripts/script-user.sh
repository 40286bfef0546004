# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# user NAME HOME COMMENT [GROUP...]: a system user that nobody can log in as; those that were not there before go with a reset
user() {
        name=$1
        if ! getent passwd "$name" >/dev/null; then
                mkdir -p "$STATE"
                record "$name" "$STATE/users"
                echo "made the user $name"
        fi
        systemd-sysusers --inline "u $name - \"$3\" $2 /usr/sbin/nologin" || die "cannot make the user $name"
        shift 3
        for group; do
                systemd-sysusers --inline "m $name $group" || die "cannot put $name into the group $group"
        done
}
