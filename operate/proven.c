/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/proven.h"

#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "operate/served.h"
#include "plan/edition.h"
#include "plan/store-fit.h"
#include "plan/store-name.h"

typedef struct Proving {
        const InstallRequest *install;
        const StoreRequests *requests;
} Proving;

/**
 * entry_node() - whose entry of the store it is
 * @c:          the cluster
 * @name:       the entry's name
 *
 * Return: the node, or NULL if it belongs to none: "admin".
 */
const Node* entry_node(const Cluster *c, const char *name) {
        const char *node;
        size_t n;

        if (!store_name_split(name, &node, &n))
                return NULL;
        for (size_t i = 0; i < c->n_nodes; i++)
                if (strlen(c->nodes[i].name) == n && strncmp(c->nodes[i].name, node, n) == 0)
                        return c->nodes + i;
        return NULL;
}

/* The unproven entries of a node, or (NULL) those that are of none; the caller frees. */
static Strv unproven_of(const Proving *p, const Node *node) {
        _cleanup_strv_ Strv all =
                store_unproven(p->install->store, p->requests->requests, p->requests->n_requests);
        Strv names = NULL;

        STRV_FOREACH(name, all)
                if (entry_node(p->install->cluster, *name) == node)
                        strv_add(&names, *name);
        return names;
}

static int settle(const Proving *p, const Node *node, Error **reterr) {
        _cleanup_strv_ Strv names = unproven_of(p, node);

        if (!names)
                return 0;
        return store_settle(p->install->store, p->requests->requests, p->requests->n_requests, names,
                            reterr);
}

/* Return: 1 if there was something to put back. */
static int revert(const Proving *p, const Node *node, Error **reterr) {
        _cleanup_strv_ Strv names = unproven_of(p, node);
        int r;

        if (!names)
                return 0;
        r = store_revert(p->install->store, p->requests->requests, p->requests->n_requests, names, reterr);
        return r < 0 ? r : 1;
}

static int prove(void *userdata, const ProbeContext *probes, const Node *node, Error **reterr) {
        const Proving *p = userdata;
        int r;

        r = served_check(probes, p->install->components, node, reterr);
        return r < 0 ? r : settle(p, node, reterr);
}

static int take_back(void *userdata, const Node *node, Error **reterr) {
        return revert(userdata, node, reterr);
}

/* A node that is as planned, although nobody has looked at what it shows: a run that was killed. */
static int prove_late(const Proving *p, const Node *node, Error **reterr) {
        const InstallRequest *q = p->install;
        const ProbeContext probes = probe_context(q->cluster, q->store, q->cancelled);
        _cleanup_strv_ Strv names = unproven_of(p, node);
        int r;

        if (!names)
                return 0;
        r = prove((void*) p, &probes, node, reterr);
        return r < 0 ? error_prefix(reterr, r, "%s", node->name) : 0;
}

static bool was_cancelled(const InstallRequest *install, int r) {
        return r == -ECANCELED || (install->cancelled && *install->cancelled);
}

/* After the rollout, which has ended with r. */
static int conclude_node(const Proving *p, const InstallNode *n, int r, Error **reterr) {
        if (r >= 0 || n->outcome == INSTALL_UNCHANGED)
                return prove_late(p, n->node, reterr);
        if (n->touched || was_cancelled(p->install, r))
                return 0;
        return revert(p, n->node, reterr);
}

static int conclude(const Proving *p, const InstallResult *result, int r, ErrorList *errors) {
        for (size_t i = 0; i < result->n_nodes; i++) {
                Error *error = NULL;
                int k = conclude_node(p, result->nodes + i, r, &error);

                if (error)
                        error_list_take(errors, error);
                r = r < 0 ? r : k < 0 ? k : r;
        }
        return r;
}

static bool some_node_is_unproven(const Proving *p) {
        const Cluster *c = p->install->cluster;

        for (size_t i = 0; i < c->n_nodes; i++) {
                _cleanup_strv_ Strv names = unproven_of(p, c->nodes + i);

                if (names)
                        return true;
        }
        return false;
}

/* What is of no node is good as soon as the nodes are, and goes back with them: a run that goes on goes on
 * with all of it. */
static int conclude_rest(const Proving *p, int r, ErrorList *errors) {
        Error *error = NULL;
        int k = 0;

        if (r >= 0)
                k = settle(p, NULL, &error);
        else if (!was_cancelled(p->install, r) && !some_node_is_unproven(p))
                k = revert(p, NULL, &error);
        if (error)
                error_list_take(errors, error);
        return r < 0 ? r : k < 0 ? k : 0;
}

/**
 * proven_rollout() - roll certificates out
 * @install:    how, and to which nodes
 * @requests:   what the store holds
 * @ret:        what was done; set in any case, to be released with install_result_done()
 * @errors:     all that went wrong
 *
 * Return: 0 if every chosen node is as planned and shows its certificates; a negative errno otherwise.
 */
int proven_rollout(const InstallRequest *install, const StoreRequests *requests, InstallResult *ret,
                   ErrorList *errors) {
        Proving p = { .install = install, .requests = requests };
        const InstallProof proof = { .prove = prove, .take_back = take_back, .userdata = &p };
        InstallRequest request = *install;
        int r = 0;

        request.proof = &proof;
        *ret = (InstallResult) {};
        if (install->n_nodes > 0)
                r = install_run(&request, ret, errors);
        r = conclude(&p, ret, r, errors);
        return conclude_rest(&p, r, errors);
}

/* What was edited in the cluster file may be in certificates, too: rolled out without them, it locks clients out. */
static const char* first_step(const InstallRequest *install) {
        _cleanup_(store_misfits_done) StoreMisfits misfits = {};

        if (store_find_misfits(install->store, install->components, install->cluster, clock_realtime(),
                               &misfits, NULL) < 0 ||
            store_misfits_are_harmless(&misfits))
                return "hardway install";
        return store_misfits_wait(&misfits) ?
                       "hardway pki csr, pki import and install" :
                       "hardway pki gen, then hardway install, which brings the certificates, too,";
}

static void refuse_outdated(const InstallResult *result, ErrorList *errors) {
        Error *error = NULL;

        if (!result->outdated)
                return;
        (void) error_set(&error, ERROR_CONFIG, ESTALE, "%s", result->outdated);
        error_detail(&error, "%s\n", EDITION_ADVICE);
        error_list_take(errors, error);
}

/**
 * proven_check_copy() - is this the copy of the cluster directory that the nodes had their keys of last?
 * @install:    which nodes
 * @errors:     it is not
 *
 * For who goes on with something, and would write into the directory before the rollout is refused: each try would make an
 * older copy one that has gone its own way. Nodes that cannot be asked are the rollout's business.
 *
 * Return: 0 or -ESTALE.
 */
int proven_check_copy(const InstallRequest *install, ErrorList *errors) {
        size_t before = errors->n_errors;
        ErrorList others = ERROR_LIST_NULL;
        InstallRequest request = *install;
        InstallResult result = {};

        request.dry_run = true;
        request.event = NULL;
        (void) install_run(&request, &result, &others);
        error_list_done(&others);
        refuse_outdated(&result, errors);
        install_result_done(&result);
        return errors->n_errors > before ? -ESTALE : 0;
}

/**
 * proven_check_before() - are the nodes as planned, before something of the plan changes?
 * @install:    which nodes
 * @errors:     each that is not, or cannot be asked
 *
 * Return: 0, -ESTALE (ERROR_VERIFY), or another negative errno.
 */
int proven_check_before(const InstallRequest *install, ErrorList *errors) {
        InstallRequest request = *install;
        InstallResult result = {};
        const char *first = NULL;
        int r;

        request.dry_run = true;
        request.event = NULL;
        r = install_run(&request, &result, errors);
        if (r >= 0 && result.outdated) {
                refuse_outdated(&result, errors);
                r = -ESTALE;
        }
        for (size_t i = 0; r >= 0 && i < result.n_nodes; i++)
                if (result.nodes[i].n_changes > 0) {
                        first = first ?: first_step(install);
                        error_list_add(
                                errors, ERROR_VERIFY, ESTALE,
                                "%s is not as the cluster file says (%zu differences): run %s first, so "
                                "that what goes wrong after this can be told apart",
                                result.nodes[i].node->name, result.nodes[i].n_changes, first);
                }
        install_result_done(&result);
        return r < 0 ? r : errors->n_errors > 0 ? -ESTALE : 0;
}
