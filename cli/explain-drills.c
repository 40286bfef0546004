/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "cli/components.h"
#include "cli/explain-entries.h"
#include "common/alloc.h"
#include "operate/drill.h"

/*
 * The drills of `verify --failover`, each with what breaks the same thing by hand: who is hit and how follow from the row of
 * the drill, as they do where it is carried out
 */

#define HERE_CURL                                                                                        \
        "curl --silent --cacert pki/etcd/ca.crt --cert pki/nodes/{name}/pki/etcd/healthcheck-client.crt" \
        " --key pki/nodes/{name}/pki/etcd/healthcheck-client.key"
/* Who is hit: chosen first, as another one has it as soon as it is gone. */
#define OWNER_OF_VIP \
        "@balancer {root} ip -oneline address show to {vip} | grep -q . && ON=\"{root}\" ADDRESS={address}\n"
#define LEADER_OF_ETCD       \
        "@member " HERE_CURL \
        " {client}/metrics | grep -q '^etcd_server_is_leader 1' && ON=\"{root}\" ADDRESS={address}\n"
#define ANY_CONTROLLER "ON=\"{controller.root}\" ADDRESS={controller.address}   # not where etcd leads\n"
#define HOLDER_OF_LEASE                                                                    \
        "@controller kubectl --kubeconfig admin.conf --namespace kube-system get lease %s" \
        " --output jsonpath='{.spec.holderIdentity}' | grep -q '^{name}_' && ON=\"{root}\" ADDRESS={address}\n"

static void add_who(const Drill *d, Buffer *out) {
        if (streq_null(d->leader, "keepalived"))
                buffer_add_str(out, OWNER_OF_VIP);
        else if (streq_null(d->leader, "etcd"))
                buffer_add_str(out, LEADER_OF_ETCD);
        else if (d->leader)
                buffer_addf(out, HOLDER_OF_LEASE, d->leader);
        else
                buffer_add_str(out, ANY_CONTROLLER);
}

/* A host is put back by itself: it boots, or a timer of its own sets the link up again. */
static void add_how(const Drill *d, const char *unit, Buffer *out) {
        switch (d->action) {
        case DRILL_KILL:
                buffer_addf(out, "$ON systemctl kill --signal=KILL %s", unit);
                break;
        case DRILL_FREEZE:
                buffer_addf(out,
                            "$ON systemd-run --collect --on-active=30s systemctl kill --signal=CONT %1$s\n"
                            "$ON systemctl kill --signal=STOP %1$s",
                            unit);
                break;
        case DRILL_CUT:
                buffer_add_str(
                        out,
                        "echo b | $ON tee /proc/sysrq-trigger   # boots at once, with nothing written; or "
                        "pull the plug");
                break;
        case DRILL_UNPLUG:
                buffer_add_str(out, "LINK=$($ON ip -oneline address show to $ADDRESS | awk '{ print $2 }')\n"
                                    "$ON systemd-run --collect --on-active=30s ip link set dev $LINK up\n"
                                    "$ON ip link set dev $LINK down   # or pull the cable");
                break;
        }
}

static void add_aim(Buffer *out, const char *what, unsigned msec) {
        if (msec > 0)
                buffer_addf(out, "%s%s %u.%02u s", out->size > 0 ? ", " : "", what, msec / 1000,
                            msec % 1000 / 10);
}

/* What may be expected of this cluster; NULL: nothing. The caller frees. */
static char* aim_of(const Drill *d, const Cluster *c) {
        Buffer out = BUFFER_NULL;
        DrillAim aim;

        drill_aim(d, c, /* takes_vip= */ false, &aim);
        add_aim(&out, "gap in reads at most", aim.read_gap);
        add_aim(&out, "reads fail for at most", aim.read_failing);
        add_aim(&out, "gap in writes at most", aim.write_gap);
        add_aim(&out, "somebody else has taken over after at most", aim.takeover);
        return out.size > 0 ? buffer_take(&out) : NULL;
}

/* Return: whether there can be such a drill here. */
static bool add_value(Explanation *e, const Drill *d, const ExplainRequest *request) {
        const DrillRequest q = { .cluster = request->cluster,
                                 .components = request->components,
                                 .power = "COMMAND" };
        _cleanup_free_ char *why_not = request->cluster ? drill_why_not(&q, d) : NULL,
                            *text = why_not          ? xasprintf("not here: %s", why_not) :
                                    request->cluster ? aim_of(d, request->cluster) :
                                                       NULL;

        if (request->cluster)
                explanation_say(e, text ?: "no aim is set");
        return !why_not;
}

static int add_drill(Catalogue *c, const ExplainRequest *request, const Drill *d, Error **reterr) {
        const Component *component = component_find(request->components, d->component);
        const ExplainRequest example = { .components = request->components };
        _cleanup_free_ char *name = xasprintf("drill %s", d->name);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        Explanation *e;
        Found others;
        int r;

        catalogue_find(c, d->name, &others);
        e = catalogue_add(c, name, "drill of hardway verify --failover");
        e->why = xasprintf("To see what clients notice when %s, and for how long.", d->what);
        e->without = xstrdup("It would be seen on the day it happens.");
        e->manual = xstrdup("hardway(1)");
        if (others.n_matches == 0)
                strv_add(&e->aliases, d->name);
        found_done(&others);
        add_who(d, &text);
        add_how(d, component->unit, &text);
        r = explanation_fill(e, add_value(e, d, request) ? request : &example, buffer_str(&text), reterr);
        return r < 0 ? r : 0;
}

/**
 * explain_add_drills() - add what hardway verify --failover breaks, after all that may have the same words
 * @c:          the catalogue
 * @request:    what it was made for
 * @reterr:     a drill has a word that nobody knows, which is a bug
 *
 * Return: 0 or a negative errno.
 */
int explain_add_drills(Catalogue *c, const ExplainRequest *request, Error **reterr) {
        Explanation *list;
        int r = 0;

        for (const Drill *d = drills; d->name && r >= 0; d++)
                r = add_drill(c, request, d, reterr);
        list = catalogue_add(c, "drills", EXPLAIN_WORD);
        list->why = xstrdup(
                "What hardway verify --failover breaks and puts back, one after the other, while it measures what "
                "clients notice. Each is a word of its own, with how it is done by hand: hardway explain drill NAME.");
        list->without = xstrdup("That the cluster bears it would be a belief.");
        list->manual = xstrdup("hardway(1)");
        list->by_hand = xstrdup("hardway verify --failover");
        list->absent = false;
        list->parts_title = "Drills";
        for (const Drill *d = drills; d->name; d++)
                explanation_add_part(list, d->name, d->what);
        return r;
}
