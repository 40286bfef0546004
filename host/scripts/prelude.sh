# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What stands before every script that runs on a node. H_ROOT is empty but in tests, H_NONCE marks what is
# ours in the output. The scripts work from the root directory with relative paths.
set -eu
export LC_ALL=C QUOTING_STYLE=literal
export PATH="${H_ROOT:+$H_ROOT/bin:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# fail KIND TEXT: KIND is that of an Error, in small letters
fail() {
        printf 'hardway-error %s %s\n' "$1" "$2" >&2
        exit 1
}

# section NAME: what is printed next. The line before it may have come without its end.
section() {
        printf '\n@%s %s\n' "$H_NONCE" "$1"
}

have() {
        command -v "$1" >/dev/null 2>&1
}

cd "$H_ROOT/"
