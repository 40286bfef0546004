/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include "host/host-internal.h"
#include "plan-fixture.h"
#include "unit.h"

/*
 * A node below a directory: its scripts run here, as whoever runs the test, with the programs of
 * DIRECTORY/bin in front of those of this machine.
 */
typedef struct HostFixture {
        UnitDir *dir;
        Node nodes[3];
        Cluster cluster;
        HostOptions options;
        char *owner; /* "root:root", or whoever runs the test */
        Host *host;
        Observation *observation;
        Facts facts;
} HostFixture;

static inline void fixture_write(const HostFixture *f, const char *path, mode_t mode, const char *content) {
        Error *error = NULL;

        if (strchr(path, '/')) {
                char *directory = fs_path_dirname(path);

                assert_true(fs_mkdir_parents(f->dir->fd, directory, 0755, &error) >= 0);
                free(directory);
        }
        assert_true(fs_write(f->dir->fd, path, content, strlen(content), mode, 0, &error) >= 0);
        assert_null(error);
}

static inline void fixture_program(const HostFixture *f, const char *name, const char *script) {
        char *path = xasprintf("bin/%s", name), *text = xasprintf("#!/bin/sh\n%s\n", script);

        fixture_write(f, path, 0755, text);
        free(path);
        free(text);
}

/* The content of a file of the node, "" if there is none; freed by the caller. */
static inline char* fixture_read(const HostFixture *f, const char *path) {
        Buffer content = BUFFER_NULL;

        if (fs_read_optional(f->dir->fd, path, 1024 * 1024, &content, NULL) <= 0)
                return xstrdup("");
        return buffer_take(&content);
}

/* Users are those of the node's own file, not of this machine's. */
static inline void fixture_users(const HostFixture *f) {
        fixture_program(f, "getent", "shift; for name; do grep -s \"^$name:\" etc/passwd; done");
}

static inline int host_fixture_setup(void **state) {
        static const char *const directories[] = {
                "bin",           "etc/sysctl.d", "etc/systemd/system", "opt", "run",
                "usr/local/bin", "var/lib",      "proc/sys/net/ipv4",
        };
        HostFixture *f = xnew(HostFixture, 1);

        if (unit_dir_setup((void**) &f->dir) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
                if (fs_mkdir_parents(f->dir->fd, directories[i], 0755, NULL) < 0)
                        return -1;
        f->cluster = fixture_cluster(f->nodes);
        f->nodes[0].local = true;
        f->owner = xasprintf("%s:%s", getpwuid(geteuid())->pw_name, getgrgid(getegid())->gr_name);
        fixture_users(f);
        *state = f;
        return 0;
}

static inline void fixture_close(HostFixture *f) {
        f->host = host_free(f->host);
        f->observation = observation_free(f->observation);
        facts_done(&f->facts);
        f->facts = (Facts) {};
}

static inline int host_fixture_teardown(void **state) {
        HostFixture *f = *state;
        int r;

        fixture_close(f);
        r = unit_dir_teardown((void**) &f->dir);
        free(f->owner);
        free(f);
        return r;
}

static inline Plan* fixture_plan(HostFixture *f) {
        return plan_new(&f->cluster, f->nodes);
}

static inline void fixture_finish(HostFixture *f, Plan *p) {
        Error *error = NULL;

        assert_success(plan_finish(p, &error), error, 0);
        for (size_t i = 0; i < p->n_items; i++)
                if (p->items[i]->owner) {
                        free(p->items[i]->owner);
                        p->items[i]->owner = xstrdup(f->owner);
                }
}

static inline int fixture_look(HostFixture *f, const Plan *p, Error **reterr) {
        int r;

        if (!f->host) {
                r = host_open_at(f->nodes, &f->options, f->dir->path, &f->host, reterr);
                if (r < 0)
                        return r;
        }
        f->observation = observation_free(f->observation);
        facts_done(&f->facts);
        f->facts = (Facts) {};
        return host_look(f->host, p, false, &f->facts, &f->observation, reterr);
}

/* A trace for HostOptions: all that is told, one thing a line, in the Buffer that is the userdata. */
static inline void fixture_trace(void *userdata, const Node *node, const HostCommand *command) {
        Buffer *out = userdata;

        buffer_addf(out, "%s: %s\n", node->name, command->name);
        STRV_FOREACH(word, command->argv)
                buffer_addf(out, "$ %s\n", *word);
        if (command->has_password)
                buffer_add_str(out, "< password\n");
        STRV_FOREACH(part, command->parts)
                buffer_addf(out, "--- part\n%s", *part);
        if (command->follows)
                buffer_addf(out, "--- follows\n%s", command->follows);
}

/* Looks, compares, puts; how many changes there were, or a negative errno. */
static inline int fixture_put(HostFixture *f, const Plan *p, const HostPut *template, Error **reterr) {
        HostPut put = template ? *template : (HostPut) {};
        Changes changes = {};
        int r;

        r = fixture_look(f, p, reterr);
        if (r < 0)
                return r;
        plan_compare(p, f->observation, &changes);
        put.plan = p;
        put.changes = &changes;
        r = host_put(f->host, &put, reterr);
        if (r >= 0)
                r = (int) changes.n_changes;
        changes_done(&changes);
        return r;
}

#define host_test(f) cmocka_unit_test_setup_teardown(f, host_fixture_setup, host_fixture_teardown)
