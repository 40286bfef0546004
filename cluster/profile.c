/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/profile.h"

/*
 * Timings belong together: a health check must be slower than the connection it makes, the apiserver's
 * patience with etcd longer than an election, a lease longer than both. So nobody sets one of them; one says
 * what the machines are like.
 */

/*
 * wired: as measured on three control planes and a pair of load balancers, where a lost SYN costs 0.1 s and
 * a dead haproxy's VIP moves in less than half a second. A check has to have its connection within the
 * interval, so a host that falls silent is out after 0.65 s at most: the rest of an interval, one, a short
 * pause, and another one. A client's connection is tried elsewhere sooner, as what still connects there at
 * that moment fails. wifi: a radio that is busy for a third of a second is no dead peer.
 */
static const struct {
        unsigned vrrp_advert_msec, haproxy_connect_msec, haproxy_check_msec, haproxy_inter_msec,
                haproxy_fastinter_msec, haproxy_fall;
} networks[] = {
        [NETWORK_WIRED] = { 100, 100, 1000, 200, 50, 2 },
        [NETWORK_WIFI] = { 300, 500, 3000, 500, 100, 3 },
};

/*
 * ssd: etcd's and Kubernetes' own defaults. sdcard: an fsync there may take a second, and with the defaults
 * every such second is an election; etcd_ready_sec is twice the election timeout, or every change of leader
 * is an outage.
 */
static const struct {
        unsigned etcd_heartbeat_msec, etcd_election_msec, etcd_ready_sec;
        unsigned lease_duration_sec, lease_renew_sec, lease_retry_sec;
} disks[] = {
        [DISK_SSD] = { 100, 1000, 2, 15, 10, 2 },
        [DISK_SDCARD] = { 500, 5000, 10, 60, 40, 5 },
};

/**
 * timings_for() - all timings of a profile
 * @network:    what the network is like
 * @disk:       what etcd's disk is like
 * @ret:        the timings
 */
void timings_for(NetworkProfile network, DiskProfile disk, Timings *ret) {
        *ret = (Timings) {
                .vrrp_advert_msec = networks[network].vrrp_advert_msec,
                .haproxy_connect_msec = networks[network].haproxy_connect_msec,
                .haproxy_check_msec = networks[network].haproxy_check_msec,
                .haproxy_inter_msec = networks[network].haproxy_inter_msec,
                .haproxy_fastinter_msec = networks[network].haproxy_fastinter_msec,
                .haproxy_fall = networks[network].haproxy_fall,
                .etcd_heartbeat_msec = disks[disk].etcd_heartbeat_msec,
                .etcd_election_msec = disks[disk].etcd_election_msec,
                .etcd_ready_sec = disks[disk].etcd_ready_sec,
                .lease_duration_sec = disks[disk].lease_duration_sec,
                .lease_renew_sec = disks[disk].lease_renew_sec,
                .lease_retry_sec = disks[disk].lease_retry_sec,
        };
}
