/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Looking at a load balancer
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/parse.h"
#include "lbsetup/internal.h"
#include "lbsetup/lbsetup-scripts.h"
#include "lbsetup/look.h"

static int64_t number(const char *text) {
        uint64_t n;

        return parse_uint64(text, 0, INT64_MAX, &n) < 0 ? 0 : (int64_t) n;
}

static void replace(char **field, const char *text) {
        free(*field);
        *field = xstrdup(text);
}

/* "NAME,STATUS,CHECK,WORDS" of haproxy's own table; its totals stand in the row BACKEND. */
static void add_server(LbLook *l, const char *row) {
        _cleanup_free_ char *copy = xstrdup(row);
        char *rest = copy, *name = strsep(&rest, ","), *status = strsep(&rest, ","),
             *check = strsep(&rest, ",");
        LbServer *s;

        if (!status || streq(name, "BACKEND") || streq(name, "FRONTEND"))
                return;
        l->servers = xrealloc(l->servers, l->n_servers + 1, sizeof(LbServer));
        s = l->servers + l->n_servers++;
        *s = (LbServer) { .name = xstrdup(name), .status = xstrdup(status) };
        if (check && rest && *rest)
                s->why = xasprintf("%s, %s", check, rest);
        else
                s->why = xstrdup(check ? check : "");
}

/* The same of the server that it tracks, which is the one that is checked, and comes later in the table. */
static void add_check(LbLook *l, const char *row) {
        LbLook checked = {};

        add_server(&checked, row);
        for (size_t i = 0; checked.n_servers > 0 && i < l->n_servers; i++)
                if (streq(l->servers[i].name, checked.servers->name))
                        replace(&l->servers[i].why, checked.servers->why);
        lb_look_done(&checked);
}

/* "BACKUP 1795260425": since when */
static void set_vrrp(LbLook *l, const char *text, int64_t *ret_since) {
        size_t n = strcspn(text, " ");

        free(l->vrrp);
        l->vrrp = xstrndup(text, n);
        *ret_since = text[n] ? number(text + n + 1) : 0;
}

static void set_address(LbLook *l, const Cluster *cluster, const char *text) {
        char vip[INET_TEXT_SIZE];
        const char *rest = startswith(text, inet_address_format(&cluster->endpoint.address, vip));

        if (!rest || (*rest != '/' && *rest != '\0'))
                return;
        l->holds_vip = true;
        l->n_vips++;
}

/* A node's name, also of one that the cluster file has no more. Anything else is no server of ours, and goes into no script. */
static void set_aside(LbLook *l, const char *text) {
        if (*text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0')
                replace(&l->aside, text);
}

static void set_vip(LbLook *l, const Cluster *cluster, const char *text) {
        char vip[INET_TEXT_SIZE];

        if (!streq(text, inet_address_format(&cluster->endpoint.address, vip)))
                replace(&l->other_vip, text);
}

typedef struct Times {
        int64_t since, now;
} Times;

static void parse_line(LbLook *l, const Cluster *cluster, const char *line, Times *t) {
        const char *v;

        if (streq(line, "installed"))
                l->installed = true;
        else if ((v = startswith(line, "haproxy ")))
                replace(&l->haproxy, v);
        else if ((v = startswith(line, "keepalived ")))
                replace(&l->keepalived, v);
        else if (streq(line, "stopped"))
                l->stopped = true;
        else if ((v = startswith(line, "router ")))
                l->router = (unsigned) number(v);
        else if ((v = startswith(line, "down ")))
                l->haproxy_down = !streq(v, "0");
        else if ((v = startswith(line, "handover ")))
                l->handover = *v && !streq(v, "0");
        else if ((v = startswith(line, "aside ")))
                set_aside(l, v);
        else if ((v = startswith(line, "vrrp ")))
                set_vrrp(l, v, &t->since);
        else if ((v = startswith(line, "now ")))
                t->now = number(v);
        else if ((v = startswith(line, "page ")))
                l->page = (unsigned) number(v);
        else if ((v = startswith(line, "server ")))
                add_server(l, v);
        else if ((v = startswith(line, "check ")))
                add_check(l, v);
        else if ((v = startswith(line, "peer ")))
                strv_add(&l->peers, v);
        else if ((v = startswith(line, "vip ")))
                set_vip(l, cluster, v);
        else if ((v = startswith(line, "address ")))
                set_address(l, cluster, v);
}

void lb_look_parse(const Cluster *cluster, const char *text, LbLook *ret) {
        _cleanup_strv_ Strv lines = strv_split(text, "\r\n");
        Times times = {};
        LbLook l = {
                .haproxy = xstrdup(""), .keepalived = xstrdup(""), .aside = xstrdup(""), .vrrp = xstrdup("")
        };

        STRV_FOREACH(line, lines)
                parse_line(&l, cluster, *line, &times);
        if (times.now > times.since)
                l.vrrp_since_sec = times.now - times.since;
        *ret = l;
}

/**
 * lb_look() - look at a load balancer
 * @c:          the context of the probe
 * @node:       the load balancer
 * @ret:        what was found; the caller calls lb_look_done()
 * @reterr:     why the node cannot be asked
 *
 * Return: 0 or a negative errno.
 */
int lb_look(const ProbeContext *c, const Node *node, LbLook *ret, Error **reterr) {
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        int r;

        r = probe_exec(c, node, "how is the load balancer?", NULL, EMBED_LB_LOOK_SH, &out, reterr);
        if (r < 0)
                return r;
        lb_look_parse(c->cluster, buffer_str(&out), ret);
        return 0;
}

void lb_look_done(LbLook *l) {
        for (size_t i = 0; i < l->n_servers; i++) {
                free(l->servers[i].name);
                free(l->servers[i].status);
                free(l->servers[i].why);
        }
        free(l->servers);
        free(l->haproxy);
        free(l->keepalived);
        free(l->aside);
        free(l->vrrp);
        free(l->other_vip);
        strv_free(l->peers);
        *l = (LbLook) {};
}

bool lb_look_holds_other(const LbLook *l) {
        return l->installed && l->other_vip && streq(l->vrrp, "MASTER") && !l->holds_vip;
}

/* "UP", and "UP 1/2" while checks begin to fail (haproxy, doc/management.txt 9.1, field "status"). */
bool lb_server_is_up(const LbServer *s) {
        return startswith(s->status, "UP") != NULL;
}

size_t lb_look_up(const LbLook *l) {
        size_t n = 0;

        for (size_t i = 0; i < l->n_servers; i++)
                n += lb_server_is_up(l->servers + i);
        return n;
}

bool lb_look_is_able(const LbLook *l) {
        return l->page != 0 && streq(l->keepalived, "active") && !l->stopped && streq(l->vrrp, "BACKUP");
}

char* lb_look_vrrp_problem(const LbLook *l) {
        if (!streq(l->keepalived, "active"))
                return xasprintf("keepalived.service is %s", *l->keepalived ? l->keepalived : "not there");
        if (l->stopped)
                return xstrdup("keepalived is stopped (by a SIGSTOP): the others do not hear of it");
        if (streq(l->vrrp, "MASTER") || streq(l->vrrp, "BACKUP"))
                return NULL;
        if (!streq(l->vrrp, "FAULT"))
                return xstrdup("keepalived has not found its place yet");
        if (l->haproxy_down)
                return xstrdup("keepalived stands back, as haproxy does not run");
        if (l->handover)
                return xstrdup("keepalived stands back, as hardway told it to (" LB_HANDOVER ")");
        if (l->page == 0)
                return xstrdup("keepalived stands back, as haproxy does not answer");
        if (l->page != 200)
                return xstrdup("keepalived stands back, as this load balancer alone reaches no apiserver");
        return xstrdup("keepalived is in state FAULT; is its interface up?");
}
