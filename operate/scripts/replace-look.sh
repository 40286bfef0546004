# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Whose data is here, and does an apiserver run? Changes nothing. What the lines mean is for the asking side to know
# (operate/replace.c).

: "${data:?}" "${mark:?}"
if [ -d "$data/member" ]; then echo data; else echo none; fi
systemctl is-active kube-apiserver.service 2>/dev/null || :
sed -n 1,2p "$mark" 2>/dev/null || :
