/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "cli/pki-entry.h"
#include "cli/table.h"
#include "common/alloc.h"
#include "operate/renew.h"

static bool is_wanted(const StoreItem *item, int argc, char **argv) {
        for (int i = 0; i < argc; i++)
                if (renew_name_matches(item->request, argv[i]))
                        return true;
        return argc == 0;
}

/* A misspelt name would give an empty list, which looks like good news. */
static int check_names(const PkiEntries *e, int argc, char **argv, Error **reterr) {
        _cleanup_free_ const char **names = xnew(const char*, e->items.n_items + 1);

        for (size_t i = 0; i < e->items.n_items; i++)
                names[i] = e->items.items[i].request->name;
        for (int a = 0; a < argc; a++) {
                const char *nearest;
                size_t i = 0;

                while (names[i] && !renew_name_matches(e->items.items[i].request, argv[a]))
                        i++;
                if (names[i])
                        continue;
                nearest = string_nearest(argv[a], names);
                return error_set(reterr, ERROR_USAGE, EINVAL, "the store has no entry '%s'%s%s%s", argv[a],
                                 nearest ? "; did you mean '" : "", nearest ?: "", nearest ? "'?" : "");
        }
        return 0;
}

static void print_table(const VerbContext *v, const PkiEntries *e) {
        _cleanup_(table_freep) Table *t =
                table_new(v, "NAME", "STATE", "KEY", "UNTIL", "GOES TO", "SUBJECT", "NAMES", "ISSUER", NULL);

        for (size_t i = 4; i <= 7; i++) {
                table_text(t, i);
                table_spare(t, i, "--verbose");
        }
        for (size_t i = 0; i < e->items.n_items; i++) {
                const StoreItem *item = e->items.items + i;
                X509 *x = item->certificate;
                _cleanup_free_ char *subject = x ? certificate_subject(x) : NULL,
                                    *issuer = x ? certificate_issuer(x) : NULL,
                                    *until = pki_date(x ? certificate_not_after(x) : 0),
                                    *places = pki_places(e, i, false, "\n"), *names = pki_names(item),
                                    *key = pki_key_text(item);

                table_row(t, item->request->name, pki_state_name(item), key, until,
                          *places ? places : "stays here", subject ?: "", names, issuer ?: "", NULL);
                table_style(t, 1, pki_state_style(item));
        }
        table_print(t);
}

static void print_line(const char *label, const char *text) {
        if (text && *text)
                printf("  %-9s %s\n", label, text);
}

static void print_certificate(const StoreItem *item) {
        X509 *x = item->certificate;
        _cleanup_free_ char *subject = certificate_subject(x), *issuer = certificate_issuer(x),
                            *serial = certificate_serial(x), *names = pki_names(item),
                            *begin = pki_date(certificate_not_before(x)),
                            *end = pki_date(certificate_not_after(x)),
                            *validity = xasprintf("%s to %s", begin, end);

        print_line("subject", subject);
        print_line("issuer", issuer);
        print_line("serial", serial);
        print_line("valid", validity);
        print_line("names", names);
}

/* All of one entry, line by line: a table would be too wide for it. */
static void print_entry(const VerbContext *v, const PkiEntries *e, size_t i) {
        const StoreItem *item = e->items.items + i;
        _cleanup_strv_ Strv files = store_request_files(item->request);
        _cleanup_free_ char *joined = NULL, *key = pki_key_text(item),
                            *places = pki_places(e, i, true, "\n            ");
        _cleanup_strv_ Strv paths = NULL;

        STRV_FOREACH(file, files) {
                _cleanup_free_ char *path = store_path(v->store, *file);

                strv_add(&paths, path);
        }
        joined = strv_join(paths, ", ");

        printf("%s%s%s: %s, %s%s%s\n", verb_style(v, STYLE_BOLD), item->request->name,
               verb_style(v, STYLE_NONE), pki_type_name(item->request->type),
               verb_style(v, pki_state_style(item)), pki_state_name(item), verb_style(v, STYLE_NONE));
        print_line("problem", pki_problem(item));
        print_line("why", e->requests.origins[i].credential->why);
        print_line("key", key);
        if (item->certificate)
                print_certificate(item);
        print_line("server", item->request->server);
        print_line("files", joined);
        print_line("goes to", *places ? places : "no node: it stays on this machine");
}

/* What is being replaced, below the table. */
static int tell_rotation(const VerbContext *v, Error **reterr) {
        _cleanup_(rotation_done) Rotation rotation = {};
        _cleanup_free_ char *since = NULL;
        int r;

        r = store_rotation(v->store, &rotation, reterr);
        if (r <= 0)
                return r;
        since = pki_date(rotation.since);
        printf("\n%s is being replaced since %s, phase %s: hardway pki %s goes on with it\n", rotation.name,
               since, rotation_phase_to_string(rotation.phase), rotation_command(rotation.name));
        return 0;
}

static json_t* rotation_to_json(const VerbContext *v) {
        _cleanup_(rotation_done) Rotation rotation = {};

        if (store_rotation(v->store, &rotation, NULL) <= 0)
                return json_null();
        return json_pack("{s:s, s:s, s:I}", "name", rotation.name, "phase",
                         rotation_phase_to_string(rotation.phase), "since", (json_int_t) rotation.since);
}

static void print_json(const VerbContext *v, const PkiEntries *e, int argc, char **argv) {
        json_t *list = json_array();
        _cleanup_json_ json_t *tree = NULL;

        for (size_t i = 0; i < e->items.n_items; i++)
                if (is_wanted(e->items.items + i, argc, argv))
                        json_array_append_new(list, pki_entry_to_json(v, e, i));
        tree = json_pack("{s:s, s:o, s:o}", "cluster", v->cluster->name, "entries", list, "rotation",
                         rotation_to_json(v));
        verb_print_json(tree);
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        _cleanup_(pki_entries_done) PkiEntries e = {};
        int r;

        r = pki_entries_load(v, &e, reterr);
        if (r < 0)
                return r;
        r = check_names(&e, argc, argv, reterr);
        if (r < 0)
                return r;

        if (v->json)
                print_json(v, &e, argc, argv);
        else if (argc == 0 && !v->verbose)
                print_table(v, &e);
        else
                for (size_t i = 0; i < e.items.n_items; i++)
                        if (is_wanted(e.items.items + i, argc, argv))
                                print_entry(v, &e, i);
        return v->json ? 0 : tell_rotation(v, reterr);
}

const Verb verb_pki_list = {
        .name = "pki list",
        .summary = "List keys, certificates and kubeconfigs, and where they go",
        .arguments = "[NAME...]",
        .description = "A table of all, or all of those entries that are named; with --verbose all of all."
                       " No node is asked: what they have, and serve, is looked at by pki check.",
        .arguments_max = 4096,
        .common = VERB_OPTION_JSON,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_ON_LIVING,
        .steps = steps_pki_list,
        .run = run,
};
