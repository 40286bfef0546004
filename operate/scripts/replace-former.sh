# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nothing of a member that has moved runs where it was, nor after a restart of that host. Its data stays. First those that
# write to the apiserver; that and etcd at once, as etcd.service would have it started again.

for unit in kube-controller-manager kube-scheduler kube-apiserver etcd; do
        systemctl disable "$unit.service" 2>/dev/null || :
done
systemctl stop kube-controller-manager.service kube-scheduler.service 2>/dev/null || :
systemctl stop kube-apiserver.service etcd.service 2>/dev/null || :
if systemctl is-active --quiet etcd.service; then fail unavailable "etcd does not stop"; fi
