/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/kubeconfig-user.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/components.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "plan/component.h"

#define CA "ca"
#define MASTERS "system:masters"
#define ADMINISTRATORS "hardway:cluster-admins" /* bound by controlplane/apiserver-files.c */

/* RFC 5280 appendix A.1, ub-common-name and ub-organization-name, in characters. */
#define NAME_SIZE_MAX 64

static int check_text(const char *option, const char *text, Error **reterr) {
        size_t n = strlen(text);

        for (const char *p = text; *p; p++)
                if ((unsigned char) *p < ' ' || *p == 0x7f)
                        n = 0;
        if (n == 0 || n > NAME_SIZE_MAX)
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "%s: a name of 1 to %d characters, none of them a control "
                                 "character",
                                 option, NAME_SIZE_MAX);
        return 0;
}

/* Who calls himself as a part of the cluster is taken for it: rights are bound to these names. */
static int check_name(const VerbContext *v, const StoreRequests *own, const char *name, Error **reterr) {
        int r = check_text("--user", name, reterr);

        if (r < 0)
                return r;
        if (startswith(name, "system:"))
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "--user: '%s' is a name of the control plane's own, by which it is known",
                                 name);
        for (size_t i = 0; i < own->n_requests; i++)
                if (own->requests[i].profile.common_name &&
                    streq(own->requests[i].profile.common_name, name))
                        return error_set(reterr, ERROR_USAGE, EINVAL, "--user: '%s' is whom %s names", name,
                                         own->requests[i].name);
        return 0;
}

static int check_group(const KubeconfigUser *user, const char *group, Error **reterr) {
        int r = check_text("--group", group, reterr);

        if (r < 0 || !startswith(group, "system:") || (user->masters && streq(group, MASTERS)))
                return r;
        if (!streq(group, MASTERS))
                return error_set(reterr, ERROR_USAGE, EINVAL, "--group: '%s' is of the control plane's own",
                                 group);
        (void) error_set(reterr, ERROR_USAGE, EINVAL,
                         "--group: whoever is in " MASTERS " may do everything, and no role takes it back");
        error_detail(
                reterr,
                "If that is meant: --system-masters. A cluster role does it for most, and can be taken back.");
        return -EINVAL;
}

bool kubeconfig_user_is_administrator(const KubeconfigUser *user) {
        return strv_contains(user->groups, MASTERS) || strv_contains(user->groups, ADMINISTRATORS);
}

/**
 * kubeconfig_user_check() - refuse names that would be taken for another's
 * @v:          the context, with its cluster
 * @user:       who it is for
 * @reterr:     says why not
 *
 * Return: 0, or -EINVAL (ERROR_USAGE).
 */
int kubeconfig_user_check(const VerbContext *v, const KubeconfigUser *user, Error **reterr) {
        StoreRequests own = {};
        int r;

        store_requests_for(components, v->cluster, &own);
        r = check_name(v, &own, user->name, reterr);
        STRV_FOREACH(group, user->groups)
                if (r >= 0)
                        r = check_group(user, *group, reterr);
        store_requests_done(&own);
        return r;
}

/**
 * kubeconfig_user_make() - certify somebody
 * @v:          the context, with its cluster and its store
 * @user:       who it is for
 * @ret:        the kubeconfig; the caller wipes
 * @ret_expires: when it ends
 * @reterr:     what cannot be
 *
 * Return: 0 or a negative errno.
 */
int kubeconfig_user_make(VerbContext *v, const KubeconfigUser *user, Buffer *ret, int64_t *ret_expires,
                         Error **reterr) {
        StoreRequests own = {};
        const StoreRequest *ca = NULL;
        StoreRequest request = {
                .type = STORE_KUBECONFIG,
                .name = xstrdup("handed-out/kubeconfig"),
                .issuer = xstrdup(CA),
                .key_type = xstrdup(key_type_to_string(v->cluster->certificates.key_type)),
                .profile = { .common_name = xstrdup(user->name),
                             .groups = strv_copy(user->groups),
                             .usage = USAGE_CLIENT,
                             .days = user->days },
                .server = cluster_endpoint_url(v->cluster),
                .cluster = xstrdup(v->cluster->name),
                .user = xstrdup(user->name),
        };
        int r;

        store_requests_for(components, v->cluster, &own);
        for (size_t i = 0; i < own.n_requests; i++)
                if (own.requests[i].type == STORE_CA && streq(own.requests[i].name, CA))
                        ca = own.requests + i;
        r = store_issue_user(v->store, ca, &request, clock_realtime(), ret, ret_expires, reterr);
        store_requests_done(&own);
        store_request_done(&request);
        return r;
}
