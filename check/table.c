/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table of rules, and how a finding becomes what people see of it
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check/rules.h"
#include "common/alloc.h"
#include "plan/edition.h"

#define CHECK_SSH "ssh"

/* In the order in which findings are shown. What fails is an error of the cluster (65) unless it is the
 * network's (69) or the disk's (74). `hardway explain` tells what stands here, hardway(1) lists them. */
static const CheckRule rules[] = {
        { CHECK_SSH, ERROR_UNAVAILABLE, EHOSTUNREACH,
          .why = "The login to the node, its host key, and sudo.",
          .without = "Nothing can be done there. It cannot be ignored.", .by_hand = "@node {root} true" },
        { "members", ERROR_CONFIG, EINVAL, .all = rule_members,
          .why = "The number of etcd members: an odd one.",
          .without = "An even number has to agree with one more of them, and survives no more losses than "
                     "one member less.",
          .by_hand =
                  "grep --line-number roles: hardway.yaml   # of etcd, or of controllers where none has etcd alone" },
        { "architecture", ERROR_CONFIG, ENOEXEC, .node = rule_architecture,
          .why = "The processor and the system's programs are 64-bit, and what the cluster file says.",
          .without = "Binaries for another processor would be fetched, put there, and not start.",
          .by_hand = "@node {root} uname -m   # hardway.yaml: {arch}\n"
                     "@node {root} dpkg --print-architecture" },
        { "systemd", ERROR_CONFIG, EOPNOTSUPP, .node = rule_systemd, .why = "systemd is 252 or newer.",
          .without = "Units use what older ones do not know: keys given by LoadCredential=, and limits "
                     "that would be silently left out.",
          .by_hand = "@node {root} systemctl --version" },
        { "name", ERROR_CONFIG, EINVAL, .node = rule_name,
          .why = "The node's own name resolves, and at once.",
          .without = "Every sudo on the node waits for the name, twenty seconds where nobody answers, and "
                     "so does each step of hardway's.",
          .by_hand = "@node time {root} true\n"
                     "@node {root} cat /etc/hostname /etc/hosts" },
        { "clock", ERROR_CONFIG, ETIME, .node = rule_clock,
          .why = "The clock is at most 300 s from this machine's, and not before the day on which "
                 "hardway was built.",
          .without = "Certificates made here would not be valid there yet, or not any more.",
          .by_hand = "date +%s\n"
                     "@node {root} date +%s" },
        { "clock-sync", ERROR_CONFIG, ETIME, .node = rule_clock_sync,
          .why = "The clock is kept right by something (systemd-timesyncd, chrony).",
          .without = "After a power loss a machine without a clock battery wakes up in the past, where no "
                     "certificate is valid.",
          .by_hand = "@node {root} timedatectl show --property=NTPSynchronized" },
        { "clock-spread", ERROR_CONFIG, ETIME, .all = rule_clock_spread,
          .why = "The clocks of the nodes are at most 60 s from each other.",
          .without = "Leases, tokens and the order of events mean something else on each node.",
          .by_hand = "@node {root} date +%s &\n"
                     "wait" },
        { "hostnames", ERROR_CONFIG, ENOTUNIQ, .all = rule_hostnames,
          .why = "No two nodes have one host name.",
          .without = "A later kubelet of the one would take itself for the other.",
          .by_hand = "@node {root} hostname" },
        { "machine-ids", ERROR_CONFIG, ENOTUNIQ, .all = rule_machine_ids,
          .why = "No two nodes have one /etc/machine-id, as copies of an image have.",
          .without = "DHCP may give both one address, and the journal takes them for one machine.",
          .by_hand = "@node {root} cat /etc/machine-id" },
        { "mac-addresses", ERROR_CONFIG, ENOTUNIQ, .all = rule_mac_addresses,
          .why = "No two nodes have one MAC address.",
          .without = "A switch sends to one of them what is meant for the other.",
          .by_hand = "@node {root} ip -brief link" },
        { "product-ids", ERROR_CONFIG, ENOTUNIQ, .all = rule_product_ids,
          .why = "No two machines have one UUID, or boards one serial number.",
          .without = "What tells machines apart by it, storage and cloud controllers, mixes them up.",
          .by_hand =
                  "@node {root} cat /sys/class/dmi/id/product_uuid /sys/firmware/devicetree/base/serial-number   # one of both" },
        { "memory", ERROR_CONFIG, ENOMEM, .node = rule_memory,
          .why = "A controller has 1 GB of memory at least.",
          .without = "The apiserver or etcd is killed when it is needed most: under load.",
          .by_hand = "@node {root} grep MemTotal /proc/meminfo" },
        { "cgroup", ERROR_CONFIG, EOPNOTSUPP, .node = rule_cgroup,
          .why = "cgroup v2, with the memory controller.",
          .without = "A kubelet of today refuses to start without; the control plane's own limits do "
                     "nothing.",
          .by_hand = "@node {root} stat --file-system --format=%T /sys/fs/cgroup   # cgroup2fs\n"
                     "@node {root} cat /sys/fs/cgroup/cgroup.controllers /proc/cmdline" },
        { "page-size", ERROR_CONFIG, EOPNOTSUPP, .node = rule_page_size, .why = "Memory pages are of 4 KiB.",
          .without = "hardway's programs run with any; some in images (jemalloc: Redis, databases) do not.",
          .by_hand = "@node {root} getconf PAGESIZE" },
        { "swap", ERROR_CONFIG, EOPNOTSUPP, .node = rule_swap,
          .why = "Nothing is swapped to a disk beside etcd.",
          .without = "An etcd that waits for its own memory loses its leadership.",
          .by_hand = "@member {root} cat /proc/swaps" },
        { "disk-space", ERROR_IO, ENOSPC, .node = rule_disk_space,
          .why = "There is room for what will be put there, and for etcd's data to grow.",
          .without = "A full disk ends a rollout half-way; a full etcd takes no more writes.",
          .by_hand = "@node {root} df -h /opt /var/lib" },
        { "disk-sync", ERROR_IO, ETIME, .node = rule_disk_sync,
          .why = "How long small synchronous writes take, as etcd does them.",
          .without = "Where they are slow etcd's leader is voted out under load; profile.disk: sdcard "
                     "allows for it.",
          .by_hand =
                  "@member {root} dd if=/dev/zero of=/var/lib/.hardway-check bs=2300 count=200 oflag=dsync\n"
                  "@member {root} rm /var/lib/.hardway-check" },
        { "flags", ERROR_CONFIG, EINVAL, .all = rule_flags,
          .why = "Flags of your own (extra-args) are such as the component has, by its program.",
          .without =
                  "It would end at its start: on the first installation on all nodes, later on the first one.",
          .by_hand = "@controller {root} /opt/hardway/kubernetes-{kubernetes}/kube-apiserver --help" },
        { "identity", ERROR_CONFIG, EEXIST, .node = rule_identity,
          .why = "The node belongs to this cluster, or to none.",
          .without = "Another cluster's node would be changed into one of this.",
          .by_hand = "cat secrets/identity\n"
                     "@node {root} grep identity /var/lib/hardway/applied.json" },
        { CHECK_CERTIFICATES, ERROR_CONFIG, ESTALE, .all = rule_certificates,
          .why = "The certificates and kubeconfigs that were made fit the cluster file, and have not expired.",
          .without =
                  "An address or a name that was changed there would be rolled out, and clients that go to it "
                  "find a certificate for another one; and with one that has expired, what is restarted does not come back.",
          .by_hand = "hardway pki gen --dry-run" },
        { EDITION_CHECK, ERROR_CONFIG, ESTALE, .all = rule_newest_copy,
          .why = "No other copy of the cluster directory has put keys and certificates on the nodes that this one never had.",
          .without =
                  "An older copy would take back what was renewed since, and a key of service accounts that was rotated as it had "
                  "leaked would be good again.",
          .by_hand = "@node {root} grep edition /var/lib/hardway/applied.json\ntail -n 1 pki/history" },
        { VERSIONS_CHECK, ERROR_CONFIG, EOPNOTSUPP, .node = rule_versions,
          .why = "A cluster that has served goes to another minor version of Kubernetes or etcd by one step at a time, "
                 "forward, and no two of its controllers are further apart.",
          .without =
                  "Apiservers, or etcd's members, would run beside others that do not understand them; and what a later version "
                  "has written an earlier one cannot read.",
          .by_hand =
                  "@controller curl --cacert pki/ca.crt {apiserver}/version\n"
                  "@member curl --cacert pki/etcd/ca.crt --cert pki/nodes/{name}/pki/etcd/healthcheck-client.crt"
                  " --key pki/nodes/{name}/pki/etcd/healthcheck-client.key {client}/version\n"
                  "grep --extended-regexp '^(kubernetes|etcd):' hardway.yaml" },
        { "leftovers", ERROR_CONFIG, EEXIST, .node = rule_leftovers,
          .why = "kubeadm, k3s, RKE2, k0s, MicroK8s: whether something of theirs runs, would start "
                 "again, or lies about.",
          .without = "Two control planes would fight for ports, files and the network's rules.",
          .by_hand =
                  "@node {root} systemctl is-active kubelet k3s k3s-agent rke2-server rke2-agent k0scontroller k0sworker\n"
                  "@node {root} ls -d /var/lib/kubelet /etc/kubernetes/kubelet.conf /var/lib/rancher /var/lib/k0s /var/snap/microk8s" },
        { "packages", ERROR_UNAVAILABLE, ENOENT, .node = rule_packages,
          .why = "haproxy and keepalived are there, or the package manager has them.",
          .without = "A rollout would stop at the load balancers.",
          .by_hand = "@balancer {root} apt-cache policy haproxy keepalived" },
        { "ports-free", ERROR_CONFIG, EADDRINUSE, .node = rule_ports_free,
          .why = "Nobody else listens on a port that is needed.",
          .without = "A component would not start, or clients would talk to somebody else.",
          .by_hand = "@node {root} ss --listening --tcp --numeric --processes" },
        { "services", ERROR_CONFIG, EEXIST, .node = rule_services,
          .why = "No service of others runs under a name that hardway has one of, such as a distribution's etcd.service.",
          .without =
                  "Its unit would be replaced and its data taken for the cluster's, and go with it at a reset.",
          .by_hand =
                  "@controller {root} systemctl cat etcd kube-apiserver kube-controller-manager kube-scheduler" },
        { "programs", ERROR_CONFIG, EEXIST, .node = rule_programs,
          .why = "No kubectl, etcdctl or etcdutl of others lies in /usr/local/bin.",
          .without = "It would be replaced by a link to hardway's until a reset puts it back.",
          .by_hand = "@controller {root} ls -l /usr/local/bin" },
        { "directories", ERROR_CONFIG, EEXIST,
          .why = "A directory in which a service writes, also where a flag of the cluster file has it write, is not there, empty, or the service's already.",
          .without =
                  "It would be closed to whoever uses it, as the service's alone; such as audit logs that kubeadm left.",
          .by_hand = "grep --after-context=20 extra-args: hardway.yaml\n"
                     "@controller {root} ls -la /var/log   # or where a flag there has it write" },
        { "flag-files", ERROR_CONFIG, ENOENT,
          .why = "The files that flags of your own name (extra-args) are on each node whose services have such flags, and those can "
                 "read them.",
          .without =
                  "The service ends at its start: of a cluster that serves on the first node, of a replaced one on that.",
          .by_hand =
                  "grep --extended-regexp '(-file|config): */' hardway.yaml\n"
                  "@controller {root} setpriv --reuid kube-apiserver --regid kube-apiserver --init-groups test -r FILE   # of whichever service it is" },
        { "addresses", ERROR_CONFIG, EADDRNOTAVAIL, .node = rule_addresses,
          .why = "The node has its address for good, not for as long as a DHCP server says.",
          .without =
                  "After a power cut it may get another one: its member of etcd is not found any more, and its "
                  "certificates do not have that address.",
          .by_hand = "@node {root} ip -o address show to {address}   # \"dynamic\": for a time only" },
        { "names", ERROR_CONFIG, EINVAL, .node = rule_names,
          .why = "No name of another node, or of the VIP, leads elsewhere on this node.",
          .without = "The node would ask the wrong machine, or wait for each name.",
          .by_hand = "@node {root} getent hosts {names}" },
        { "reach", ERROR_UNAVAILABLE, EHOSTUNREACH, .node = rule_reach,
          .why = "Each port can be reached by who has to, nodes and this machine, whether something "
                 "listens there already or not.",
          .without = "A firewall in between makes a member or an apiserver look dead, and the rollout wait "
                     "for it.",
          .by_hand =
                  "@controller nc -vz -w 4 {address} {apiserver-port}   # from here, and from each load balancer\n"
                  "@member nc -vz -w 4 {address} 2379   # from here\n"
                  "@member nc -vz -w 4 {address} 2380   # from here\n"
                  "@member {root} nc -vz -w 4 {this.address} 2380   # from each to each" },
        { "reach", ERROR_UNAVAILABLE, EHOSTUNREACH, .all = rule_reach_here },
        { CHECK_SERVING, ERROR_UNAVAILABLE, EHOSTUNREACH,
          .why = "Where etcd serves, by the word of its nodes, this machine can ask it.",
          .without = "A cluster that serves would be taken for a new one, and all of it restarted at once.",
          .by_hand =
                  "@member curl --cacert pki/etcd/ca.crt --cert pki/nodes/{name}/pki/etcd/healthcheck-client.crt"
                  " --key pki/nodes/{name}/pki/etcd/healthcheck-client.key {client}/health" },
        { "endpoint", ERROR_CONFIG, EINVAL, .all = rule_endpoint,
          .why = "Whether clients find the API at a load balancer that is not hardway's.",
          .without = "Nobody would have looked at it: hardway neither installs it nor asks it.",
          .by_hand = "curl --cacert pki/ca.crt {endpoint}/version" },
        { "vip-network", ERROR_CONFIG, ENETUNREACH, .node = rule_vip_network,
          .why = "The VIP belongs to a network of the load balancers' interface.",
          .without = "Whoever is in that network would not ask for it there, and not reach it.",
          .by_hand = "@balancer {root} ip route get {vip}   # no \"via\" in it\n"
                     "@balancer {root} ip -brief address" },
        { "sysctls", ERROR_CONFIG, EINVAL, .node = rule_sysctls,
          .why = "arp_ignore is 0 or 1, so that the VIP is answered for. None has to be set: haproxy needs neither "
                 "ip_nonlocal_bind nor ip_forward.",
          .without = "The load balancer holds the VIP, and says nothing when it is asked for.",
          .by_hand = "@balancer {root} sysctl --all --pattern arp_ignore" },
};

/* Those who know better are told that they were listened to. */
static void ignore(const CheckWorld *w, Check *finding) {
        _cleanup_free_ char *text = NULL;

        if (finding->state == CHECK_OK ||
            !(strv_contains(w->ignore, finding->subject) || strv_contains(w->ignore, finding->id)))
                return;
        finding->state = finding->state == CHECK_FAILED ? CHECK_WARNING : CHECK_OK;
        text = finding->text;
        finding->text = xasprintf("ignored: %s", text);
}

Check* judge(Judge *j, CheckState state, const Node *node, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        Check *finding;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        finding = check_add_on(j->findings, state, j->rule->name, node, j->rule->name, "%s", text);
        ignore(j->world, finding);
        return finding;
}

void check_node(const CheckWorld *w, const CheckNode *n, CheckList *findings) {
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                if (rules[i].node)
                        rules[i].node(&(Judge) { .world = w, .rule = rules + i, .findings = findings }, n);
}

void check_reach(const CheckWorld *w, const CheckNode *n, CheckList *findings) {
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                if (rules[i].node == rule_reach)
                        rule_reach(&(Judge) { .world = w, .rule = rules + i, .findings = findings }, n);
}

void check_all(const CheckWorld *w, CheckList *findings) {
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                if (rules[i].all)
                        rules[i].all(&(Judge) { .world = w, .rule = rules + i, .findings = findings });
}

void check_failure(const Node *node, const Error *error, CheckList *findings) {
        Check *finding = check_add_on(findings, CHECK_FAILED, CHECK_SSH, node, CHECK_SSH, "%s",
                                      error_message_behind(error, node->name));

        finding->kind = error->kind;
        if (error->detail)
                check_advise(finding, "%.*s", (int) strlen(error->detail) - 1, error->detail);
}

int check_components(const CheckWorld *w, const ProbeContext *c, const Node *node, CheckList *findings,
                     Error **reterr) {
        size_t first = findings->n_checks;
        int r;

        r = check_directories(c, w, w->nodes + node->index, findings, reterr);
        if (r >= 0)
                r = check_named_files(c, w, w->nodes + node->index, findings, reterr);
        if (r < 0)
                return r;
        for (const Component *const *p = w->components; *p; p++) {
                if (!(*p)->preflight || !component_on_node(*p, w->cluster, node))
                        continue;
                r = (*p)->preflight(c, node, findings, reterr);
                if (r < 0)
                        return r;
        }
        for (size_t i = first; i < findings->n_checks; i++)
                ignore(w, findings->checks + i);
        return 0;
}

static const CheckRule* find_rule(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                if (streq(rules[i].name, name))
                        return rules + i;
        return NULL;
}

Error* check_to_error(const Check *finding) {
        const CheckRule *rule = find_rule(finding->subject);
        /* what a component finds is data or an address that somebody else has */
        ErrorKind kind = finding->kind ? finding->kind : rule ? rule->kind : ERROR_CONFIG;
        Error *error = NULL;

        (void) error_set(&error, kind, rule ? rule->errnum : EEXIST, "%s%s%s",
                         finding->node ? finding->node : "", finding->node ? ": " : "", finding->text);
        if (finding->advice)
                error_detail(&error, "%s\n", finding->advice);
        return error;
}

void check_names_list(const Component *const *components, CheckName **ret, size_t *ret_n) {
        CheckName *names = xnew(CheckName, ARRAY_SIZE(rules));
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                if (rules[i].why)
                        names[n++] = (CheckName) { rules[i].name, rules[i].why, rules[i].without,
                                                  rules[i].by_hand };
        for (const Component *const *c = components; *c; c++) {
                names = xrealloc(names, n + (*c)->n_preflights + 1, sizeof(CheckName));
                for (size_t i = 0; i < (*c)->n_preflights; i++)
                        names[n++] = (*c)->preflights[i];
        }
        *ret = names;
        *ret_n = n;
}

static bool can_be_ignored(const char *name) {
        return !streq(name, CHECK_SSH) && !streq(name, CHECK_SERVING);
}

int check_names_exist(const Component *const *components, char *const *names, Error **reterr) {
        _cleanup_free_ CheckName *all = NULL;
        _cleanup_free_ const char **known = NULL;
        size_t n_all, n = 0;

        check_names_list(components, &all, &n_all);
        known = xnew(const char*, n_all + 1);
        for (size_t i = 0; i < n_all; i++)
                if (can_be_ignored(all[i].name))
                        known[n++] = all[i].name;
        STRV_FOREACH(name, names) {
                const char *nearest = string_nearest(*name, known);

                if (!can_be_ignored(*name))
                        return error_set(
                                reterr, ERROR_USAGE, EINVAL,
                                "--ignore: '%s' cannot be ignored: what cannot be reached cannot be "
                                "installed",
                                *name);
                if (!strv_contains((char *const *) known, *name))
                        return error_set(reterr, ERROR_USAGE, EINVAL,
                                         "--ignore: there is no check '%s'%s%s%s; hardway(1) lists them",
                                         *name, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                                         nearest ? "'?" : "");
        }
        return 0;
}
