# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The member here ends, and writes all it has to its database, which is taken as it lies then. What runs is noted before (restore-note.sh).

systemctl stop kube-apiserver.service etcd.service 2>/dev/null || systemctl stop etcd.service
if systemctl is-active --quiet etcd.service; then fail unavailable "etcd does not stop"; fi
