/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What hardway keeps on the nodes for itself: no plan has it, as it is no input of anything that runs
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "explain/internal.h"

#define LIB "/var/lib/hardway/"
#define RUN "/run/hardway/"
#define ALWAYS "from the first installation on"
#define MEANWHILE "only while something is put there"

static const struct {
        const char *name, *why, *without, *when;
        unsigned roles;      /* of the nodes that have it */
        const char *by_hand; /* for explain_fill() */
} rows[] = {
        { LIB,
          "What hardway knows of a node stands on the node, and in nothing but plain files here; root's alone.",
          "Every file would be read at every look, and what an older plan has left would stay for ever.",
          ALWAYS, ROLE_ALL, "@node {root} ls -l " LIB },
        { LIB "applied.json",
          "What was put on this node, written when all of it was there: for each file its path, its digest, and the "
          "stamp (size, times, inode) under which it is known to be that; whose node it is; of which edition its keys and "
          "certificates are (pki/history); and what was made besides files.",
          "A later plan could not take away what it does not want any more, as nobody would know that it is "
          "hardway's; and each look would have to read all binaries.",
          ALWAYS, ROLE_ALL, "@node {root} cat " LIB "applied.json" },
        { LIB "applied.paths",
          "The paths of applied.json as plain lines, for the shell that looks: also at those that no plan names any "
          "more.",
          "A file of an older plan would not be seen, and would stay.", ALWAYS, ROLE_ALL,
          "@node {root} cat " LIB "applied.paths" },
        { LIB "generation",
          "A number that grows by one at the beginning and at the end of each put. Whoever puts something says which "
          "number was seen when the node was looked at.",
          "Of two runs, one whose lock was lost without its knowledge (a laptop that slept) would write what "
          "the other has changed since.",
          ALWAYS, ROLE_ALL, "@node {root} cat " LIB "generation" },
        { LIB "generation.new", "The next generation, until it is renamed over the last one.",
          "A power cut could leave half a number.", MEANWHILE, ROLE_ALL, "@node {root} ls " LIB },
        { LIB "put.lock",
          "The lock of a put. Unlike run.lock it is held by the script on the node itself: until the script has "
          "ended, whatever became of the run that sent it.",
          "A look could see half of what a killed run is still finishing.", ALWAYS, ROLE_ALL,
          "@node {root} flock --nonblock " LIB "put.lock true && echo free" },
        { LIB "staged",
          "The files of a put that lie beside their targets, with .hw-new behind their names, until all are complete, "
          "checked and on the disk.",
          "What a put that was cut off has left could not be found and removed.", MEANWHILE, ROLE_ALL,
          "@node {root} cat " LIB "staged" },
        { LIB "manifest",
          "The digests of the files of a put: the last member of the stream that brings them.",
          "A stream that was cut off between two files would look complete.", MEANWHILE, ROLE_ALL,
          "@node {root} sha256sum --check " LIB "manifest" },
        { LIB "packages", "The packages that hardway has installed here, one a line.",
          "reset could not tell them from those that were there before, and would leave them.",
          "where hardway installed one", ROLE_ALL, "@node {root} cat " LIB "packages" },
        { LIB "packages.needed", "The packages that those brought along.",
          "They would stay when nobody needs them any more.", "where one was brought along", ROLE_ALL,
          "@node {root} cat " LIB "packages.needed" },
        { LIB "users", "The users that hardway has made here, one a line.",
          "reset could not tell them from those that were there before, and would leave them.", ALWAYS,
          ROLE_ALL, "@node {root} cat " LIB "users" },
        { LIB "taken",
          "Each path at which something of hardway's was put, and whether something else lay there before (kept); of a unit also "
          "whether it was enabled and ran. Written before any of that is replaced, and once: what lies there from then on is "
          "hardway's, whatever became of the run.",
          "Nothing that hardway takes the place of could come back; or a run that was killed would have its successor keep "
          "hardway's own file for somebody else's.",
          ALWAYS, ROLE_ALL, "@node {root} grep kept " LIB "taken" },
        { LIB "taken.hw-new", "The next list of what was taken, until it is renamed over the last one.",
          "A power cut could leave half a list.", MEANWHILE, ROLE_ALL, "@node {root} ls " LIB },
        { LIB "directories",
          "Each directory that hardway has made here, or given another mode or owner, with what it was before: nothing, or its mode and "
          "owner. It is written before anything of that is done. \"complete\" stands in it where nothing of hardway's was here before "
          "there was such a list.",
          "reset could not tell a directory that goes with all that is in it from one that was there before, and would "
          "leave it.",
          ALWAYS, ROLE_ALL, "@node {root} cat " LIB "directories" },
        { LIB "directories.hw-new", "The next list of directories, until it is renamed over the last one.",
          "A power cut could leave half a list.", MEANWHILE, ROLE_ALL, "@node {root} ls " LIB },
        { LIB "before",
          "What lay at a path before hardway came: below this directory, at that very path, with its mode, owner and times. "
          "Root's alone, as there may be secrets in it. hardway reset puts it back, and so does hardway install "
          "where the cluster file wants nothing at that path any more.",
          "A haproxy.cfg that somebody wrote, or came with the package, would be lost.",
          "where something else lay before", ROLE_ALL, "@node {root} find " LIB "before -type f" },
        { LIB "etcd-began",
          "Nothing is in it: etcd's unit makes it when its member has joined, and from then on starts it only where its data is. Here, "
          "as the data may be on a disk of its own. etcd replace and reset take it away. By hand it has to go where a member is to begin "
          "without data.",
          "A member whose disk is not mounted, or is a new one, would begin anew, without what it has promised to keep; one that is "
          "alone with an empty cluster.",
          "once the member has served", ROLE_ETCD, "@member {root} ls -l " LIB "etcd-began" },
        { LIB "restore.db", "The snapshot that etcd restore unpacks here.",
          "A member would have nothing to begin with.", "only while etcd's data is restored", ROLE_ETCD,
          "@member {root} ls -l " LIB "restore.db" },
        { LIB "restore-stopped", "The units that etcd restore has stopped, to start the same ones again.",
          "What was stopped on purpose before would run after a restoration that was called off.",
          "only while etcd's data is restored", ROLE_CONTROL_PLANE,
          "@control {root} cat " LIB "restore-stopped" },
        { RUN, "What is true until the next boot.",
          "There is nowhere to keep a lock, or what the load balancers tell each other.", ALWAYS, ROLE_ALL,
          "@node {root} ls -l " RUN },
        { RUN "run.lock",
          "The lock of a run, and in it who that is: user, machine, since when, which command. Held by a session on the "
          "node for as long as the run is heard of every few seconds; if it is killed, sleeps or is cut off, the "
          "node lets go. The script of hardway plan takes it as well, until it ends. The file stays, and locks "
          "nothing then.",
          "Two runs could change one node at the same time.", "from the first run on, held during one",
          ROLE_ALL,
          "@node {root} cat /run/hardway/run.lock   # who was the last to hold it\n"
          "@node {root} flock --nonblock /run/hardway/run.lock true && echo free" },
        { RUN "haproxy.down",
          "haproxy.service writes 0 here when it has started, and 1 when it has stopped; keepalived reads it.",
          "keepalived would hold the VIP on a machine on which nothing answers.", ALWAYS, ROLE_LOADBALANCER,
          "@balancer {root} cat " RUN "haproxy.down" },
        { RUN "handover", "Not 0: keepalived gives the VIP away, for work that was planned on its machine.",
          "A load balancer could only be stopped, and clients would wait for the other to miss it.", ALWAYS,
          ROLE_LOADBALANCER, "@balancer {root} cat " RUN "handover" },
        { RUN "keepalived.state",
          "Which part keepalived plays (MASTER, BACKUP, FAULT), and since when, in seconds.",
          "Who holds the VIP could only be seen at the addresses, and not for how long.",
          "since keepalived runs", ROLE_LOADBALANCER, "@balancer {root} cat " RUN "keepalived.state" },
        { RUN "haproxy.aside",
          "The apiserver that this load balancer sends nothing new to, as work is under way there.",
          "A run that was killed meanwhile would leave it aside for good.", "only during such work",
          ROLE_LOADBALANCER,
          "@balancer {root} cat " RUN "haproxy.aside\n"
          "@balancer echo 'show servers state' | {root} socat - /run/haproxy/admin.sock" },
        { RUN "haproxy.service.loaded",
          "Digests of what haproxy has read: written by its unit when it starts, and when it is reloaded.",
          "A configuration that was put there and not loaded yet would be taken for what runs.",
          "since haproxy runs", ROLE_LOADBALANCER,
          "@balancer {root} sha256sum --check " RUN "haproxy.service.loaded" },
        { RUN "haproxy.servers",
          "What haproxy knows of the apiservers: written by its unit before a reload, for the process that comes "
          "then, and emptied when it starts.",
          "A reload would begin from nothing: one check that fails, and an apiserver is out.", ALWAYS,
          ROLE_LOADBALANCER, "@balancer {root} cat " RUN "haproxy.servers" },
        { RUN "keepalived.service.loaded",
          "Digests of what keepalived has read: written by its unit when it starts, and when it is reloaded.",
          "A configuration that was put there and not loaded yet would be taken for what runs.",
          "since keepalived runs", ROLE_LOADBALANCER,
          "@balancer {root} sha256sum --check " RUN "keepalived.service.loaded" },
        { RUN "watch",
          "What hardway-watch has found when it looked last: certificates, units, members, apiservers.",
          "status and verify could not say what the node itself has seen; the journal still has it.",
          "since hardway-watch.timer has elapsed", ROLE_ALL, "@node {root} cat " RUN "watch" },
};

int explain_node_files(Catalogue *c, Error **reterr) {
        const ExplainRequest *q = c->request;
        const View here = {};

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                Explanation *e =
                        catalogue_enter(c, rows[i].name, "kept by hardway on the nodes", rows[i].why);

                explanation_set(&e->without, rows[i].without);
                explanation_set(&e->manual, "hardway(1)");
                if (explanation_fill(e, q, rows[i].by_hand, reterr) < 0)
                        return -EINVAL;
                if (endswith(e->name, "/"))
                        explanation_alias(e, "%.*s", (int) strlen(e->name) - 1, e->name);
                for (size_t k = 0; k < q->n_nodes; k++)
                        if (q->nodes[k]->roles & rows[i].roles)
                                explanation_value(e, &here, q->nodes[k]->name, rows[i].when);
        }
        return 0;
}
