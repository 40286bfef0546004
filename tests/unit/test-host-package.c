/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/put-fixture.h"

/* A package on a node: our configuration first, and its unit masked meanwhile */

static Plan* package_plan(HostFixture *f) {
        Plan *p = fixture_plan(f);
        PlanItem *item;

        item = plan_add_package(p, "haproxy", "haproxy", "why");
        strv_add(&item->package.units, "haproxy.service");
        item = plan_add_file(p, "haproxy", "config", "/etc/hardway/haproxy.cfg", 0644, "config", "why");
        item->file.check = xstrdup("haproxy -c -f \"$1\"");
        item->file.check_package = xstrdup("haproxy");
        fixture_finish(f, p);
        return p;
}

static void package_programs(HostFixture *f) {
        _cleanup_free_ char *log = xasprintf("echo \"$(basename \"$0\") $*\" >>%s/log", f->dir->path);
        _cleanup_free_ char *install = NULL, *query = NULL, *haproxy = NULL;

        haproxy = xasprintf("%s; cat \"$3\"; test -f \"$3\"", log);
        install = xasprintf(
                "%s; case $* in -s*) echo 'Inst liblua5.3-0 (5.3.6-2 Debian)'; echo 'Inst haproxy (2.6 Debian)'; "
                "echo 'Conf haproxy (2.6 Debian)';; *' install '*) cat %s/etc/hardway/haproxy.cfg >>%s/log; cp %s/haproxy.new "
                "%s/bin/haproxy;; esac",
                log, f->dir->path, f->dir->path, f->dir->path, f->dir->path);
        query = xasprintf("test -e %s/bin/haproxy && echo 'haproxy installed 2.6.12-1+deb12u3'",
                          f->dir->path);
        fixture_program(f, "systemctl", log);
        fixture_program(f, "dpkg", log);
        fixture_program(f, "apt-cache", log);
        fixture_program(f, "apt-get", install);
        fixture_program(f, "dpkg-query", query);
        fixture_program(f, "haproxy.new", haproxy);
        assert_int_equal(renameat(f->dir->fd, "bin/haproxy.new", f->dir->fd, "haproxy.new"), 0);
}

/* Our configuration first, then the package with its unit masked, then the check that needs the package. */
static void test_package(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = package_plan(f);
        _cleanup_error_ Error *error = NULL;

        package_programs(f);
        assert_success(fixture_put(f, p, NULL, &error), error, 3);
        assert_content(
                f, "log",
                "systemctl mask --runtime haproxy.service\n"
                "dpkg --force-confdef --force-confold --configure -a\n"
                "apt-cache show -- haproxy\n"
                "apt-get -s -q -y --no-install-recommends install haproxy\n"
                "apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 "
                "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install haproxy\n"
                "confighaproxy -c -f etc/hardway/haproxy.cfg\n"
                "systemctl unmask --runtime haproxy.service\n");
        assert_success(fixture_put(f, p, NULL, &error), error, 0);
        assert_true(strv_contains(f->observation->packages, "haproxy"));
        /* what may go with the cluster */
        assert_content(f, "var/lib/hardway/packages", "haproxy\n");
        assert_content(f, "var/lib/hardway/packages.needed", "liblua5.3-0\nhaproxy\n");
}

static void test_package_fails(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = package_plan(f);
        _cleanup_free_ char *log = NULL;
        _cleanup_error_ Error *error = NULL;

        package_programs(f);
        fixture_program(f, "apt-get", "case $* in *' install '*) echo 'E: no haproxy' >&2; exit 100;; esac");
        assert_int_equal(fixture_put(f, p, NULL, &error), -EUNATCH);
        assert_contains(error->message, "could not install haproxy");
        assert_contains(error->detail, "E: no haproxy");
        /* the mask is taken away all the same, and what was published before stays */
        log = fixture_read(f, "log");
        assert_contains(log, "systemctl unmask --runtime haproxy.service\n");
        assert_content(f, "etc/hardway/haproxy.cfg", "config");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                host_test(test_package),
                host_test(test_package_fails),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
