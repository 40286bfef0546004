# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# what downloads: asked before anything is made
fetcher=
if [ -z "$BINARIES" ]; then
        for fetcher in curl wget none; do
                if command -v "$fetcher" >/dev/null; then break; fi
        done
        [ "$fetcher" != none ] || die "needs curl or wget to download programs (apt-get install curl), or --binaries DIR; nothing was changed"
fi

# download URL FILE: one that outlives this script, as that was killed, does not keep the lock
download() {
        echo "downloading $1"
        case $fetcher in
        curl) curl --fail --silent --show-error --location --retry 3 --output "$2" "$1" ;;
        *) wget -q -O "$2" "$1" ;;
        esac 9>&- || die "cannot download $1"
}

# unpack FILE URL SHA256 MEMBER: an archive is downloaded once for all of its members
unpack() {
        [ -n "$archives" ] || {
                archives=$(mktemp -d) && trap 'rm -rf "$archives"' EXIT
        }
        archive=$archives/${2##*/}
        [ -f "$archive" ] || download "$2" "$archive"
        [ "$(sha256 "$archive")" = "$3" ] || die "$2 is not the archive it should be: its digest is another than $3"
        tar -xzOf "$archive" "$4" >"$1" || die "cannot unpack $4"
}
archives=

# binary MODE OWNER PATH SHA256 URL [ARCHIVE_SHA256 MEMBER]
binary() {
        if [ "$(sha256 "$3")" = "$4" ]; then
                attributes "$1" "$2" "$3"
                return
        fi
        rm -f "$3.hw-new"
        if [ -n "$BINARIES" ]; then
                cp "$BINARIES/${3##*/}" "$3.hw-new" || die "cannot copy $BINARIES/${3##*/}"
        elif [ $# -gt 5 ]; then
                unpack "$3.hw-new" "$5" "$6" "$7"
        else
                download "$5" "$3.hw-new"
        fi
        [ "$(sha256 "$3.hw-new")" = "$4" ] || {
                rm -f "$3.hw-new"
                die "${3##*/} is not the program it should be: its digest is another than $4"
        }
        publish "$1" "$2" "$3"
}
