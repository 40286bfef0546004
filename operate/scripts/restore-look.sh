# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# How far is this node? Changes nothing. What the lines mean is for the asking side to know (operate/restore-look.c).

: "${data:?}" "${mark:?}" "${etcdutl:?}"
if [ -x "$etcdutl" ] && getent passwd etcd >/dev/null; then echo yes; else echo no; fi
if [ -d "$data/member" ]; then echo data; else echo none; fi
for one in "$data"/before-*; do
        if [ -d "$one" ]; then echo "${one##*/}"; fi
done
echo mark
cat "$mark" 2>/dev/null || :
