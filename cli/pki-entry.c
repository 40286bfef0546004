/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/pki-entry.h"

#include <stdlib.h>

#include "cli/components.h"
#include "common/alloc.h"
#include "common/clock.h"

/**
 * pki_entries_load() - read the store, and where its files go
 * @v:          the context, with cluster and store
 * @ret:        the entries; pki_entries_done()
 * @reterr:     the store as a whole cannot be read
 *
 * Return: 0 or a negative errno.
 */
int pki_entries_load(VerbContext *v, PkiEntries *ret, Error **reterr) {
        PkiEntries e = { .now = clock_realtime() };
        int r;

        store_requests_for(components, v->cluster, &e.requests);
        r = store_inspect(v->store, e.requests.requests, e.requests.n_requests, e.now, &e.items, reterr);
        if (r >= 0)
                r = placements_for(components, v->cluster, v->store, &e.placements, reterr);
        if (r < 0) {
                pki_entries_done(&e);
                return r;
        }
        *ret = e;
        return 0;
}

void pki_entries_done(PkiEntries *e) {
        store_items_done(&e->items);
        store_requests_done(&e->requests);
        placements_done(&e->placements);
}

const char* pki_type_name(StoreEntryType type) {
        static const char *const names[_STORE_ENTRY_TYPE_MAX] = {
                [STORE_CA] = "CA",
                [STORE_CERTIFICATE] = "certificate",
                [STORE_KUBECONFIG] = "kubeconfig",
                [STORE_KEY_PAIR] = "key pair",
                [STORE_SECRET] = "secret",
        };

        return names[type];
}

const char* pki_state_name(const StoreItem *item) {
        if (item->error)
                return "broken";
        if (item->outcome == STORE_MADE)
                return "missing";
        if (item->outcome == STORE_WAITS)
                return "waits";
        return item->outcome == STORE_REISSUED ? "due" : "valid";
}

Style pki_state_style(const StoreItem *item) {
        if (item->error)
                return STYLE_RED;
        return item->outcome == STORE_KEPT && !item->why ? STYLE_GREEN : STYLE_YELLOW;
}

char* pki_key_text(const StoreItem *item) {
        const char *type = item->key_type ?: "";

        if (item->external)
                return xasprintf("%s, kept elsewhere", type);
        return item->sealed ? xasprintf("%s, under a passphrase", type) : xstrdup(type);
}

const char* pki_problem(const StoreItem *item) {
        return item->error ? item->error->message : item->why;
}

char* pki_names(const StoreItem *item) {
        _cleanup_(certificate_profile_done) CertificateProfile names = CERTIFICATE_PROFILE_NULL;

        if (item->certificate)
                certificate_names(item->certificate, &names);
        for (size_t i = 0; i < names.n_addresses; i++) {
                _cleanup_free_ char *address = inet_address_to_string(names.addresses + i);

                strv_add(&names.dns_names, address);
        }
        return strv_join(names.dns_names, ", ");
}

/* A date is enough: who needs the second asks for --json. */
char* pki_date(int64_t seconds) {
        char *text = seconds > 0 ? clock_format_iso(seconds) : xstrdup("");

        if (strlen(text) > strlen("2026-11-21"))
                text[strlen("2026-11-21")] = '\0';
        return text;
}

static bool is_first_with_path(const PkiEntries *e, size_t i, const char *name) {
        for (size_t k = 0; k < i; k++)
                if (placement_is_of(e->placements.list + k, name) &&
                    streq(e->placements.list[k].path, e->placements.list[i].path))
                        return false;
        return true;
}

/* Paths that differ in their ending only, and lie on the same nodes: "ca.crt" and "ca.key". */
typedef struct Place {
        char *stem, *endings, *where;
} Place;

static void place_done(Place *p) {
        free(p->stem);
        free(p->endings);
        free(p->where);
        *p = (Place) {};
}

static void place_flush(Place *p, Strv *places) {
        if (p->stem)
                strv_addf(places, strchr(p->endings, ',') ? "%s.{%s} %s" : "%s.%s %s", p->stem, p->endings,
                          p->where);
        place_done(p);
}

/* "on c0, c1", and for whom; the caller frees. */
static char* where_is(const PkiEntries *e, size_t first, const char *name, bool whose) {
        const Placement *p = e->placements.list + first;
        _cleanup_strv_ Strv nodes = NULL, users = NULL;
        _cleanup_free_ char *joined = NULL, *used = NULL;

        for (size_t i = first; i < e->placements.n; i++)
                if (placement_is_of(e->placements.list + i, name) &&
                    streq(e->placements.list[i].path, p->path))
                        strv_add(&nodes, e->placements.list[i].node->name);
        STRV_FOREACH(unit, p->units) {
                const char *end = strrchr(*unit, '.');

                strv_addf(&users, "%.*s", (int) (end ? end - *unit : (ptrdiff_t) strlen(*unit)), *unit);
        }
        joined = strv_join(nodes, ", ");
        used = strv_join(users, ", ");
        if (!whose || !*used)
                return xasprintf("on %s", joined);
        return xasprintf("on %s, for %s", joined, used);
}

/**
 * pki_places() - where an entry's files go, in short
 * @e:          the entries
 * @i:          which one
 * @whose:      say also who is given them
 * @separator:  between paths
 *
 * Return: each path with the nodes that have it; "" if none has; the caller frees.
 */
char* pki_places(const PkiEntries *e, size_t i, bool whose, const char *separator) {
        const char *name = e->items.items[i].request->name;
        _cleanup_(place_done) Place place = {};
        _cleanup_strv_ Strv places = NULL;

        for (size_t k = 0; k < e->placements.n; k++) {
                const char *path = e->placements.list[k].path, *dot = strrchr(path, '.');
                _cleanup_free_ char *where = NULL, *stem = NULL;

                if (!placement_is_of(e->placements.list + k, name) || !is_first_with_path(e, k, name))
                        continue;
                where = where_is(e, k, name, whose);
                if (!dot || strchr(dot, '/')) {
                        strv_addf(&places, "%s %s", path, where);
                        continue;
                }
                stem = xstrndup(path, (size_t) (dot - path));
                if (streq_null(stem, place.stem) && streq(where, place.where)) {
                        char *endings = xasprintf("%s,%s", place.endings, dot + 1);

                        free(place.endings);
                        place.endings = endings;
                        continue;
                }
                place_flush(&place, &places);
                place = (Place) { TAKE_PTR(stem), xstrdup(dot + 1), TAKE_PTR(where) };
        }
        place_flush(&place, &places);
        return strv_join(places, separator);
}

static json_t* strv_to_json(Strv list) {
        json_t *array = json_array();

        STRV_FOREACH(s, list)
                json_array_append_new(array, json_string(*s));
        return array;
}

static json_t* placements_to_json(const PkiEntries *e, const char *name) {
        json_t *array = json_array();

        for (size_t k = 0; k < e->placements.n; k++) {
                const Placement *p = e->placements.list + k;
                _cleanup_free_ char *mode = xasprintf("%04o", (unsigned) p->mode);

                if (placement_is_of(p, name))
                        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "node",
                                                               p->node->name, "path", p->path, "mode", mode,
                                                               "component", p->component, "units",
                                                               strv_to_json(p->units), "why", p->why));
        }
        return array;
}

static void certificate_to_json(X509 *x, int64_t now, json_t *object) {
        _cleanup_(certificate_profile_done) CertificateProfile names = CERTIFICATE_PROFILE_NULL;
        _cleanup_free_ char *subject = certificate_subject(x), *issuer = certificate_issuer(x),
                            *serial = certificate_serial(x), *fingerprint = certificate_fingerprint(x),
                            *begin = clock_format_iso(certificate_not_before(x)),
                            *end = clock_format_iso(certificate_not_after(x));
        json_t *addresses = json_array();

        certificate_names(x, &names);
        for (size_t i = 0; i < names.n_addresses; i++) {
                _cleanup_free_ char *address = inet_address_to_string(names.addresses + i);

                json_array_append_new(addresses, json_string(address));
        }
        json_object_update_new(object,
                               json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:I}", "subject", subject,
                                         "issuer", issuer, "serial", serial, "fingerprint", fingerprint,
                                         "dns_names", strv_to_json(names.dns_names), "addresses", addresses,
                                         "valid_from", begin, "valid_until", end, "seconds_left",
                                         (json_int_t) (certificate_not_after(x) - now)));
}

static json_t* files_to_json(const VerbContext *v, const StoreRequest *request) {
        json_t *array = json_array();
        _cleanup_strv_ Strv files = store_request_files(request);

        STRV_FOREACH(file, files) {
                _cleanup_free_ char *path = store_path(v->store, *file);

                json_array_append_new(array, json_string(path));
        }
        return array;
}

/**
 * pki_entry_to_json() - all that is known of an entry
 * @v:          the context
 * @e:          the entries
 * @i:          which one
 *
 * Return: an object; a member that does not apply, or that could not be read, is left out.
 */
json_t* pki_entry_to_json(const VerbContext *v, const PkiEntries *e, size_t i) {
        const StoreItem *item = e->items.items + i;
        const StoreOrigin *origin = e->requests.origins + i;
        const StoreRequest *request = item->request;
        json_t *object = json_pack(
                "{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s, s:s, s:s*, s:o, s:o}", "name", request->name, "type",
                pki_type_name(request->type), "state", pki_state_name(item), "problem", pki_problem(item),
                "key", item->key_type, "ca", request->issuer, "component", origin->component->name, "why",
                origin->credential->why, "server", request->server, "files", files_to_json(v, request),
                "places", placements_to_json(e, request->name));

        if (request->type == STORE_CA && item->present)
                json_object_set_new(object, "key_is",
                                    json_string(item->external ? "elsewhere" :
                                                item->sealed   ? "protected" :
                                                                 "here"));
        if (item->certificate)
                certificate_to_json(item->certificate, e->now, object);
        return object;
}
