# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# secret MODE OWNER PATH SHA256: not in this script, but below the directory that --secrets names
secret() {
        if [ "$(sha256 "$3")" = "$4" ]; then
                attributes "$1" "$2" "$3"
                return
        fi
        [ -n "$SECRETS" ] || die "$3 is not there yet, or another one: where are the secrets? (--secrets DIR)"
        [ -f "$SECRETS$3" ] || die "$SECRETS$3 is not there"
        file "$@" <"$SECRETS$3"
}
