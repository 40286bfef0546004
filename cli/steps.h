/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Texts of steps by hand that several commands share; for explain_fill()
 *
 * What is said behind {root} goes through ssh, and so through a second shell: nothing there may need its quotes.
 */

/* A lock that lasts as long as its standard input does, of @node or @member. */
#define STEP_LOCK(who) "@" who " sleep 1h | {root} flock --nonblock /run/hardway/run.lock cat &"

#define STEP_TO_HAPROXY " | {root} socat - /run/haproxy/admin.sock"
/* who: "@balancer", or "@spares"; name: of the node whose apiserver it is */
#define STEP_SET_ASIDE(who, name)                                                            \
        who " echo 'set server apiservers/" name " state drain; disable health checks/" name \
            "'" STEP_TO_HAPROXY
#define STEP_BRING_BACK(who, name)                                              \
        who " echo 'enable health checks/" name "; set server apiservers/" name \
            " state ready'" STEP_TO_HAPROXY

/* On the node of {this}, which has credentials for etcd. */
#define STEP_ETCDCTL                                                                             \
        "{this.root} etcdctl --endpoints={this.client} --cacert=/etc/kubernetes/pki/etcd/ca.crt" \
        " --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt"                                \
        " --key=/etc/kubernetes/pki/etcd/healthcheck-client.key"
/* What `member list` says of members: ID, status, name, peer URLs, client URLs, whether it is a learner. */
#define STEP_ANOTHER_VOTER \
        " member list | awk -F', ' '$3 != \"{this.name}\" && $6 == \"false\" { print $1; exit }'"
#define STEP_ID_OF_THIS " member list | awk -F', ' '$3 == \"{this.name}\" { print $1 }'"

#define STEP_HAND_OVER                                                \
        "OTHER=$(" STEP_ETCDCTL STEP_ANOTHER_VOTER ")\n" STEP_ETCDCTL \
        " move-leader $OTHER   # refused where it does not lead"

/* By the file that keepalived tracks: not 0, and it lets go. */
#define STEP_VIP_LEAVES                                                                                                            \
        "@balancer {root} ip -brief address show to {vip}   # who holds it? Of the next lines only that one's, before its turn:\n" \
        "@balancer echo 1 | {root} tee /run/hardway/handover && sleep 2 && echo 0 | {root} tee /run/hardway/handover"

/* etcdctl and etcdutl here, as steps_etcdctl[] has it */
#define STEP_HERE_ANOTHER_VOTER "OTHER=$(e --endpoints=$ALL" STEP_ANOTHER_VOTER ")\n"
#define STEP_HERE_ID_OF_THIS(endpoints) "ID=$(e --endpoints=" endpoints STEP_ID_OF_THIS ")\n"
