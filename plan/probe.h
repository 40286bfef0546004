/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "cluster/cluster.h"
#include "http/prober.h"
#include "pki/store.h"

/*
 * Probes: questions to the living cluster, and checks made of them
 *
 * Most questions go over HTTPS from the driving machine to the node's address. What can only be seen on a
 * node (which load balancer holds the VIP) goes through exec, a small shell script run as root there, which
 * host/ lends to the layers below it.
 *
 * The probes a Component may declare:
 *   ready      does this node's instance do its work now? Waited for after a start; text says what for.
 *   serving    does the cluster already serve (any etcd member answers with a leader)? Decides between "all
 *              at once" and "one by one". Fails with -EHOSTUNREACH if it does, and cannot be asked from here;
 *              with -EKEYEXPIRED if that is so because its certificates have expired, which serve nobody;
 *              with -EEXIST if it does where the cluster file has nothing of it any more.
 *   gate       must hold before the next node is touched (quorum with every member healthy, the backend up
 *              again). Asked of every component of the cluster, whether it is on that node or not: before a
 *              unit of a serving cluster is restarted there, and after the node was changed. What was never
 *              installed (a second load balancer, yet to come) does not close a gate.
 *   leads      does this node lead (etcd's leader, the VIP's owner)? Such a node comes last.
 *   hand_over  gives leadership away before a planned restart; a no-op where it does not lead. take_back
 *              undoes what hand_over left.
 *   set_aside  sends a node no new work, before something is stopped there as planned, and lets what is under
 *              way come to its end. Asked of every component of the cluster (a load balancer, of whatever
 *              stands behind it), whether it is on that node or not. bring_back undoes that for all nodes:
 *              after the node was changed, and when a rollout begins, as an earlier one may have been killed.
 *   verify     adds its checks to the list.
 * A negative return is for bugs and the unspeakable: an instance that does not answer is PROBE_WAITING with
 * a text, not an error.
 */
typedef enum ProbeState {
        PROBE_READY,
        PROBE_WAITING, /* not yet; text says for what */
        PROBE_FAILED,  /* will not get better by waiting; text says why */
        PROBE_BLOCKED, /* does its part and waits for other nodes ("1 of 3 members, quorum needs 2") */
} ProbeState;

typedef struct ProbeResult {
        ProbeState state;
        char *text; /* "member 2 of 3, follower", "[-]etcd failed"; or NULL */
} ProbeResult;

void probe_result_set(ProbeResult *r, ProbeState state, const char *format, ...) _printf_(3, 4);
/* Of .spare: so many that work would go, and so many stay; what to say if none does, and if one does. */
void probe_result_spare(ProbeResult *r, size_t n_go, size_t n_left, const char *none, const char *one);
void probe_result_done(ProbeResult *r);

typedef struct ProbeContext {
        const Cluster *cluster;
        Store *store;
        /* Runs a script of POSIX sh as root on the node; its standard output is returned, a status other
         * than 0 is an Error. */
        int (*exec)(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr);
        void *userdata;
        const volatile int
                *cancelled; /* or NULL; ends a snapshot under way, and if looks_only every question */
        bool looks_only;    /* nothing is changed by this run */
        bool deep;          /* verify: hash every file, not only those whose fingerprint changed */
        bool thorough;      /* preflight: also what takes seconds to find out, and only deserves a warning */
        const Node *const *chosen; /* preflight: those that this run may change; NULL: all */
        size_t n_chosen;
        /* gate, after a change: others that were ill before it, and whose turn to be mended is yet to come */
        const Node *const *ill;
        size_t n_ill;
        bool before; /* gate, ready: something of the node is about to be stopped; else it was started */
} ProbeContext;

/* One without a way to the nodes themselves; all is lent. cancelled may be NULL. host_pool_probes() has one. */
ProbeContext probe_context(const Cluster *cluster, Store *store, const volatile int *cancelled);
/*
 * Runs a script on a node by the context's exec. Its title is what a sysadmin reads of it there, and who looks on with
 * --verbose here. The script was written, not made, which the compiler sees to: what differs comes in variables, quoted
 * (common/shell.h), or NULL. What a node told before may be somebody else's words, and root's shell must not read them.
 */
#define probe_exec(c, node, title, variables, script, ret, reterr) \
        probe_exec_array(c, node, title, variables, ARRAY_ONLY(script), ret, reterr)
int probe_exec_array(const ProbeContext *c, const Node *node, const char *title, const Buffer *variables,
                     const char *script, Buffer *ret, Error **reterr);
/* A client that trusts CA ("ca", "etcd/ca") and shows the named credential of the store
 * ("nodes/c0/pki/etcd/healthcheck-client", kubeconfig "super-admin"), or none (NULL). */
int probe_client(const ProbeContext *c, const char *ca, const char *credential, HttpClient **ret,
                 Error **reterr);
/* The same for one that goes on asking (http/prober.h); request->trust is filled in. */
int probe_prober(const ProbeContext *c, const char *ca, const char *credential, ProberRequest *request,
                 Prober **ret, Error **reterr);
/* Bytes of a file of the store ("nodes/c0/pki/apiserver.crt"), lent; for probes, which run in several
 * threads. */
int probe_store_file(const ProbeContext *c, const char *path, const Buffer **ret, Error **reterr);

typedef enum CheckState {
        CHECK_OK,
        CHECK_WARNING,
        CHECK_FAILED
} CheckState;

typedef struct Check {
        char *id;      /* "etcd.members", "apiserver.ready/controller-0": stable, for --json */
        char *node;    /* or NULL */
        char *subject; /* what was looked at: "kube-apiserver" */
        CheckState state;
        ErrorKind kind; /* of a failure, where it is not that of its subject; else 0 */
        char *text;     /* what was found */
        char *advice;   /* what to do, or NULL if all is well */
        json_t *data;   /* facts for --json and status, or NULL */
} Check;

typedef struct CheckList {
        Check *checks;
        size_t n_checks;
} CheckList;

Check* check_add(CheckList *l, CheckState state, const char *id, const Node *node, const char *subject,
                 const char *format, ...) _printf_(6, 7);
/* The same of one node, whose name stands in the id: "NAME/NODE"; of none (NULL) "NAME". */
Check* check_add_on(CheckList *l, CheckState state, const char *name, const Node *node, const char *subject,
                    const char *format, ...) _printf_(6, 7);
void check_advise(Check *check, const char *format, ...) _printf_(2, 3);
void check_advise_silent(Check *check, const Node *node, const char *unit, int errnum);
void check_list_append(CheckList *l, CheckList *other); /* moves; other is empty afterwards */
/* Asks something of a node, and adds what is found. */
typedef void (*ProbeAsk)(const ProbeContext *c, const Node *node, CheckList *checks);
void probe_each_node(const ProbeContext *c, unsigned roles, ProbeAsk ask, CheckList *checks);
size_t check_list_failed(const CheckList *l);
void check_list_done(CheckList *l);
