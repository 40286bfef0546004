/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rules about all nodes together: what each has to have for itself, and what they have to agree on. */

#include "check/rules.h"
#include "common/alloc.h"

#define CLOCK_SPREAD_MAX_SEC 60 /* leases and tokens compare the nodes' clocks */

/* A cluster that serves, or that has served, may be on its way through an even number of members. */
void rule_members(Judge *j) {
        const CheckWorld *w = j->world;
        size_t n_members = cluster_count(w->cluster, ROLE_ETCD);
        _cleanup_error_ Error *error = NULL;

        if (w->serving)
                return;
        CHECK_FOREACH_LOOKED_AT(n, w)
                if (n->observation && n->observation->identity)
                        return;
        if (cluster_check_first_install(w->cluster, &error) < 0)
                check_advise(judge(j, CHECK_FAILED, NULL, "%s", error->message),
                             "Three survive the loss of one, five that of two.");
        else
                judge(j, CHECK_OK, NULL, "%zu member%s of etcd", n_members, n_members == 1 ? "" : "s");
}

/* Only nodes that are about to be changed count: what runs has shown that it can live with its clock. But not yet that one that
 * joins can. */
static bool clocks_count(const CheckNode *a, const CheckNode *b) {
        return a != b && ((a->judged && b->judged) || (a->judged && a->joins) || (b->judged && b->joins));
}

void rule_clock_spread(Judge *j) {
        const CheckNode *first = NULL, *last = NULL;
        long long spread = -1;

        CHECK_FOREACH_LOOKED_AT(a, j->world)
                CHECK_FOREACH_LOOKED_AT(b, j->world) {
                        long long behind = (long long) (b->facts->clock_offset - a->facts->clock_offset);

                        if (!clocks_count(a, b) || behind <= spread)
                                continue;
                        spread = behind;
                        first = a;
                        last = b;
                }
        if (!first)
                return;
        if (spread > CLOCK_SPREAD_MAX_SEC)
                check_advise(judge(j, CHECK_FAILED, NULL, "the clock of %s is %lld s behind that of %s",
                                   first->node->name, spread, last->node->name),
                             "Set them (timedatectl), or wait until they are synchronised.");
        else
                judge(j, CHECK_OK, NULL, "not further apart than %lld s", spread > 1 ? spread : 1);
}

/* A value that each node has for itself, or NULL if it is not known there. */
typedef const char *(*Value)(const CheckNode *n);

/* One before it in the cluster file; what two have in common that are only looked at beside others is no news. */
static const CheckNode* find_same(const CheckWorld *w, const CheckNode *end, const char *value, Value get) {
        for (const CheckNode *n = w->nodes; n < end; n++)
                if (n->facts && !(n->beside && end->beside) && streq_null(get(n), value))
                        return n;
        return NULL;
}

static void judge_unique(Judge *j, CheckState bad, const char *what, Value get, const char *advice) {
        const CheckWorld *w = j->world;
        size_t n_known = 0, n_same = 0;

        CHECK_FOREACH_LOOKED_AT(n, w) {
                const char *value = get(n);
                const CheckNode *same = value ? find_same(w, n, value, get) : NULL;

                n_known += value != NULL;
                if (!same)
                        continue;
                n_same++;
                check_advise(
                        judge(j, bad, n->node, "has the same %s as %s: %s", what, same->node->name, value),
                        "%s", advice);
        }
        if (n_same == 0 && n_known > 1)
                judge(j, CHECK_OK, NULL, "no %s twice", what);
}

static const char* get_hostname(const CheckNode *n) {
        return n->facts->hostname;
}

static const char* get_machine_id(const CheckNode *n) {
        return n->facts->machine_id;
}

static const char* get_mac(const CheckNode *n) {
        return n->answers ? n->answers->mac : NULL;
}

static const char* get_product_id(const CheckNode *n) {
        return n->answers ? n->answers->product_id : NULL;
}

/* apiservers are told apart in their leases by a digest of the hostname (k/apiserver, APIServerIdentity). */
void rule_hostnames(Judge *j) {
        judge_unique(j, CHECK_WARNING, "hostname", get_hostname,
                     "On one of them: sudo hostnamectl set-hostname NAME, and the name into /etc/hosts.");
}

void rule_machine_ids(Judge *j) {
        judge_unique(j, CHECK_FAILED, "machine-id", get_machine_id,
                     "One disk is a copy of the other. On one of them: sudo rm -f /etc/machine-id "
                     "/var/lib/dbus/machine-id; sudo systemd-machine-id-setup; sudo reboot");
}

void rule_mac_addresses(Judge *j) {
        judge_unique(j, CHECK_FAILED, "MAC address", get_mac,
                     "Give one of them another: two of the same on one network reach nobody reliably.");
}

/* Some makers give all their boards the same. */
void rule_product_ids(Judge *j) {
        judge_unique(j, CHECK_WARNING, "product id", get_product_id,
                     "Virtual machines that were copied have to be given a UUID of their own; some boards "
                     "all have the same, and then nothing can be done.");
}
