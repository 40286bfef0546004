/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one component makes and another looks for; components do not know each other. */

/* In front of the identity, in the cluster's own data: kube-apiserver's plan puts it there, etcd/ finds it in a snapshot. */
#define NAME_MARK "hardway-identity:"

/* The key for secrets, in the store. */
#define NAME_ENCRYPTION_KEY_FILE "secrets/encryption-key"

/* What stands in etcd in front of a secret, with the number of its key behind it and a colon: kube-apiserver's configuration names
 * keys so, etcd/ finds out which ones a snapshot needs. */
#define NAME_ENCRYPTION_KEY "key"
#define NAME_ENCRYPTED "k8s:enc:secretbox:v1:" NAME_ENCRYPTION_KEY

/* Of a member's scheduled snapshots, which the watch looks after. */
#define NAME_SNAPSHOT_SERVICE "etcd-snapshot.service"
#define NAME_SNAPSHOT_TIMER "etcd-snapshot.timer"

/* What keepalived is told to start at each change, and where that keeps the state, which the watch looks at. */
#define NAME_VRRP_NOTIFY "/etc/keepalived/hardway-notify"
#define NAME_VRRP_STATE "/run/hardway/keepalived.state"
