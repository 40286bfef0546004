# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Has this node what a restore needs of etcd: the program that unpacks a snapshot, and the user whose the data is? Changes nothing.

: "${etcdutl:?}"
if [ -x "$etcdutl" ] && getent passwd etcd >/dev/null; then echo yes; else echo no; fi
