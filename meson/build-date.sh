#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The date of this build in seconds since 1970: SOURCE_DATE_EPOCH if set, else the date of the newest commit
# of the source tree $1, else now. The first two do not depend on when or where one builds.

if [ -n "${SOURCE_DATE_EPOCH-}" ]; then
        echo "$SOURCE_DATE_EPOCH"
        exit 0
fi
git -C "$1" log -1 --format=%ct 2>/dev/null || date +%s
