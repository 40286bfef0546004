/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The store against the cluster file and the calendar
 */

#include <inttypes.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "verify/pki-internal.h"

#define SEC_PER_DAY INT64_C(86400)
#define SEC_PER_HOUR INT64_C(3600)

static char* date_of(int64_t seconds) {
        char *text = clock_format_iso(seconds);

        if (strlen(text) > strlen("2026-11-21"))
                text[strlen("2026-11-21")] = '\0';
        return text;
}

static char* life_text(int64_t left, const char *date) {
        if (left < 2 * SEC_PER_DAY)
                return xasprintf("expires in %" PRIi64 " h, on %s", left / SEC_PER_HOUR, date);
        return xasprintf("until %s, %" PRIi64 " days", date, left / SEC_PER_DAY);
}

CheckState pki_judge_life(const PkiCheckRequest *q, X509 *x, char **ret_text) {
        int64_t begin = certificate_not_before(x), end = certificate_not_after(x), left = end - q->now;
        _cleanup_free_ char *date = NULL;

        if (q->now < begin) {
                date = clock_format_iso(begin);
                *ret_text = xasprintf("is not valid before %s", date);
                return CHECK_FAILED;
        }
        date = date_of(end);
        if (left <= 0) {
                *ret_text = xasprintf("has expired on %s", date);
                return CHECK_FAILED;
        }
        *ret_text = life_text(left, date);
        if (left < (q->critical_sec ?: certificate_part_of_life(x, PKI_URGENT_SEC, CERTIFICATE_URGENT_PART)))
                return CHECK_FAILED;
        return left < (q->warn_sec ?:
                               certificate_part_of_life(x, STORE_RENEW_BEFORE_SEC, CERTIFICATE_RENEW_PART)) ?
                       CHECK_WARNING :
                       CHECK_OK;
}

void pki_set_life(const PkiCheckRequest *q, Check *check, X509 *x) {
        _cleanup_free_ char *end = clock_format_iso(certificate_not_after(x)),
                            *serial = certificate_serial(x);

        check->data = json_pack("{s:s, s:s, s:I}", "valid_until", end, "serial", serial, "seconds_left",
                                (json_int_t) (certificate_not_after(x) - q->now));
}

static bool is_authority(const StoreItem *item) {
        return item->request->type == STORE_CA;
}

/* Another one in its place would lock the cluster out of what it has written, or signed. */
static bool is_lasting(const StoreItem *item) {
        return item->request->type == STORE_CA || item->request->type == STORE_KEY_PAIR ||
               item->request->type == STORE_SECRET;
}

/* What does not work already, as opposed to what merely is no longer as the cluster file says. */
static CheckState judge_fault(const StoreItem *item) {
        switch (item->fault) {
        case CERTIFICATE_WRONG_ISSUER:
        case CERTIFICATE_WRONG_KEY:
        case CERTIFICATE_WRONG_USAGE:
        case CERTIFICATE_NOT_VALID:
                return CHECK_FAILED;
        default:
                return item->outcome == STORE_KEPT ? CHECK_OK : CHECK_WARNING;
        }
}

/* Rather than merely near its end: then only what is issued anew, and rolled out with what else was changed, helps. */
static bool does_not_fit(const StoreItem *item) {
        return item->outcome == STORE_REISSUED && item->fault != CERTIFICATE_NOT_VALID &&
               item->fault != CERTIFICATE_EXPIRES;
}

/* A key pair without its public half: that is written again, and the key is as before. */
static bool is_halved(const StoreItem *item) {
        return item->request->type == STORE_KEY_PAIR && item->outcome == STORE_REISSUED && !item->error;
}

static void advise(Check *check, const StoreItem *item) {
        if (check->state == CHECK_OK)
                return;
        if (item->error && item->error->detail)
                check_advise(check, "%.*s", (int) strcspn(item->error->detail, "\n"), item->error->detail);
        else if (item->error && is_lasting(item))
                check_advise(check,
                             "restore it from a backup: the cluster lives with it, and with no other");
        else if (item->error)
                check_advise(check,
                             "restore it from a backup, or remove it, and hardway pki gen makes another");
        else if (item->outcome == STORE_WAITS)
                check_advise(check, "hardway pki csr writes what to ask for");
        else if (!item->present)
                check_advise(check, "hardway pki gen makes it, hardway install brings it to the nodes");
        else if (is_halved(item))
                check_advise(check, "hardway pki gen writes it again from the key, which stays as it is");
        else if (item->loose)
                check_advise(check, "hardway pki gen closes it; whoever may have read it could be anybody");
        else if (is_authority(item))
                check_advise(check, "replace this CA before it ends: all that it certified ends with it");
        else if (does_not_fit(item))
                check_advise(check,
                             "hardway pki gen issues it anew, hardway install brings it to the nodes");
        else
                check_advise(check, "hardway pki renew %s", item->request->name);
}

static Check* add_item(const PkiCheckRequest *q, const StoreOrigin *origin, const StoreItem *item,
                       CheckList *checks) {
        _cleanup_free_ char *id = xasprintf("store/%s", item->request->name), *life = NULL;
        const char *name = item->request->name;
        CheckState state, fault;

        if (item->error)
                return check_add(checks, CHECK_FAILED, id, origin->node, name, "%s", item->error->message);
        if (!item->present)
                return check_add(checks, CHECK_FAILED, id, origin->node, name, "is missing%s%s",
                                 item->why ? ": " : "", item->why ?: "");
        if (item->loose)
                return check_add(checks, CHECK_FAILED, id, origin->node, name, "others may read it: %s",
                                 item->why ?: "its mode is wrong");
        if (!item->certificate && item->outcome != STORE_KEPT)
                return check_add(checks, is_halved(item) ? CHECK_WARNING : CHECK_FAILED, id, origin->node,
                                 name, "%s", item->why ?: "half of it is missing");
        if (!item->certificate)
                return check_add(checks, CHECK_OK, id, origin->node, name, "is there");

        state = pki_judge_life(q, item->certificate, &life);
        fault = judge_fault(item);
        if (fault > state || (fault == state && fault != CHECK_OK && item->fault != CERTIFICATE_EXPIRES))
                return check_add(checks, fault, id, origin->node, name, "%s", item->why);
        return check_add(checks, state, id, origin->node, name, "%s", life);
}

static bool is_chosen(const PkiCheckRequest *q, const Node *node) {
        return !node || node_is_among(node, q->nodes, q->n_nodes);
}

void pki_check_store(const PkiCheckRequest *q, const StoreRequests *requests, const StoreItems *items,
                     CheckList *checks) {
        for (size_t i = 0; i < items->n_items; i++) {
                const StoreItem *item = items->items + i;
                const StoreOrigin *origin = requests->origins + i;
                Check *check;

                if (!is_chosen(q, origin->node))
                        continue;
                check = add_item(q, origin, item, checks);
                advise(check, item);
                if (item->certificate && !item->error)
                        pki_set_life(q, check, item->certificate);
        }
}
