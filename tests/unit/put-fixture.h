/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tests/unit/host-fixture.h"

/* What is put on the node below a directory, and found there afterwards */

static inline Plan* small_plan(HostFixture *f, const char *content) {
        Plan *p = fixture_plan(f);
        PlanItem *key;

        plan_add_file(p, "etcd", "config", "/etc/hardway/etcd.conf", 0644, content, "why");
        key = plan_add_file(p, "etcd", "key", "/etc/hardway/key", 0600, "secret", "why");
        key->secret = true;
        key->fingerprint = xstrdup("fingerprint");
        plan_add_directory(p, "etcd", "data", "/var/lib/etcd", 0700, "root:root", "why");
        plan_add(p, PLAN_SYMLINK, "etcd", "link", "why");
        p->items[p->n_items - 1]->path = xstrdup("/usr/local/bin/etcd");
        p->items[p->n_items - 1]->symlink.target = xstrdup("/opt/hardway/etcd");
        plan_add_sysctl(p, "etcd", "net.ipv4.ip_forward", "1", "why");
        fixture_finish(f, p);
        return p;
}

static inline void assert_content(HostFixture *f, const char *path, const char *expected) {
        _cleanup_free_ char *content = fixture_read(f, path);

        assert_string_equal(content, expected);
}

static inline void assert_mode(HostFixture *f, const char *path, mode_t mode) {
        struct stat st;

        assert_int_equal(fstatat(f->dir->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_mode & 07777, mode);
}

/* Nothing is left of files that were on their way. */
static inline void assert_nothing_staged(HostFixture *f) {
        _cleanup_free_ char *command =
                xasprintf("find %s -name '*.hw-new' -o -name staged -o -name manifest", f->dir->path);
        _cleanup_strv_ Strv argv = strv_new("sh", "-c", command, NULL);
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;

        assert_int_equal(process_run(argv, NULL, 0, &result, NULL), 0);
        assert_string_equal(buffer_str(&result.out), "");
}
