# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main job: five hosts, from a cluster file to an answer on the virtual IP, seen from outside."""
import base64
import json
import os
import re
import signal
import subprocess

import pytest

from lab import BALANCERS, CONTROLLERS, VIP, await_true, run

UNITS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]


@pytest.fixture(scope="module", name="image")
def image_fixture():
    return "bookworm"


def test_vip_answers_with_the_version_of_the_cluster_file(cluster):
    assert cluster.version(timeout=5)["gitVersion"] == "v1.36.3"


def test_every_apiserver_answers(cluster):
    for address in CONTROLLERS.values():
        assert cluster.version(address, timeout=5)["gitVersion"] == "v1.36.3"


def test_verify_is_green_and_says_so_in_json(cluster):
    cluster.verify()
    report = cluster.hardway("verify", "--json").json
    checks = report["checks"]
    # of a disk that others are busy with it may warn
    assert checks and all(check["state"] == "ok" or check["id"].startswith("etcd.fsync") for check in checks), report


def test_exactly_one_load_balancer_holds_the_vip(cluster):
    assert len(cluster.holder()) == 1


def test_secret_is_encrypted_in_etcd(cluster):
    cluster.kubectl("create", "secret", "generic", "lab-secret", "--from-literal=word=swordfish-4711")
    read = json.loads(cluster.kubectl("get", "secret", "lab-secret", "-o", "json").out)
    assert base64.b64decode(read["data"]["word"]) == b"swordfish-4711"
    raw = cluster.sh("controller-0", "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/kubernetes/pki/etcd/ca.crt"
                     " --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt --key=/etc/kubernetes/pki/etcd/healthcheck-client.key"
                     " get /registry/secrets/default/lab-secret").out
    assert "k8s:enc:secretbox:v1:" in raw and "swordfish" not in raw
    cluster.kubectl("delete", "secret", "lab-secret")


CERTIFICATES = """set -eu
n=0
check() { openssl verify -x509_strict -CAfile "$1" -purpose "$2" "$3" && n=$((n + 1)); }
check ca.crt sslserver apiserver.crt
check ca.crt sslserver controller-manager.crt
check ca.crt sslserver scheduler.crt
check ca.crt sslclient apiserver-kubelet-client.crt
check front-proxy-ca.crt sslclient front-proxy-client.crt
check etcd/ca.crt sslclient apiserver-etcd-client.crt
for c in server peer; do check etcd/ca.crt sslserver etcd/$c.crt; check etcd/ca.crt sslclient etcd/$c.crt; done
check etcd/ca.crt sslclient etcd/healthcheck-client.crt
for c in $(find . -name '*.crt' ! -name '*ca.crt'); do
        [ "$(openssl x509 -noout -pubkey -in $c)" = "$(openssl pkey -pubout -in ${c%.crt}.key)" ]
        [ "$(stat -c '%a %U:%G' ${c%.crt}.key)" = "600 root:root" ]
done
for name in kubernetes kubernetes.default.svc.cluster.local localhost; do
        openssl verify -CAfile ca.crt -verify_hostname $name apiserver.crt
done
for ip in 10.96.0.1 127.0.0.1 ::1 VIP CONTROLLERS; do
        openssl verify -CAfile ca.crt -verify_ip $ip apiserver.crt
done
refused() { ! openssl verify "$@" 2>/dev/null; }
refused -CAfile ca.crt -verify_hostname elsewhere.example apiserver.crt
refused -CAfile ca.crt -verify_ip 10.77.0.99 apiserver.crt
refused -CAfile ca.crt etcd/server.crt
refused -CAfile ca.crt -purpose sslclient apiserver.crt
echo checked $n
""".replace("VIP", VIP).replace("CONTROLLERS", " ".join(CONTROLLERS.values()))


def test_every_certificate_is_accepted_by_the_openssl_command(cluster, tmp_path):
    for host in CONTROLLERS:
        packed = base64.b64decode(cluster.sh(host, "tar -C /etc/kubernetes -c pki | base64").out)
        directory = tmp_path / host
        directory.mkdir()
        subprocess.run(["tar", "-x", "-p", "--same-owner", "-C", directory], input=packed, check=True)
        result = run(["sh", "-c", CERTIFICATES], cwd=directory / "pki")
        assert result.status == 0 and "checked 11" in result.out, result
        # these never leave the driving machine
        assert cluster.sh(host, "ls /etc/kubernetes/pki/etcd/ca.key /etc/kubernetes/pki/front-proxy-ca.key"
                          " /etc/kubernetes/super-admin.conf 2>/dev/null", check=False).out == ""


def test_services_are_unprivileged_and_sandboxed(cluster):
    for unit in UNITS:
        pid = cluster.pids("controller-0", [unit])[0]
        status = cluster.sh("controller-0", f"cat /proc/{pid}/status").out
        assert not re.search(r"^Uid:\s+0\b", status, re.M), unit
        assert re.search(r"^CapEff:\s+0+$", status, re.M), unit
        assert re.search(r"^NoNewPrivs:\s+1$", status, re.M), unit
        assert re.search(r"^Seccomp:\s+2$", status, re.M), unit
        assert re.search(r"^Max core file size\s+0\s+0\b", cluster.sh("controller-0", f"cat /proc/{pid}/limits").out, re.M), unit


def test_second_install_changes_nothing(cluster):
    before = {host: cluster.pids(host, UNITS) for host in CONTROLLERS}
    before |= {host: cluster.pids(host, ["haproxy", "keepalived"]) for host in BALANCERS}
    out = cluster.hardway("install").out
    assert "nothing to change" in out
    after = {host: cluster.pids(host, UNITS) for host in CONTROLLERS}
    after |= {host: cluster.pids(host, ["haproxy", "keepalived"]) for host in BALANCERS}
    assert before == after and all(pid > 0 for pids in before.values() for pid in pids)


def connections(lab):
    """The ssh connections to hosts that are open now, as (host, port here)."""
    rows = [row.split() for row in lab.enter("ss", "-H", "-t", "-n", "state", "established", "dport = :22").out.splitlines()]
    return sorted((row[3].rsplit(":", 1)[0], row[2].rsplit(":", 1)[1]) for row in rows)


def masters(lab):
    """The processes that hold the lab's kept connections."""
    directory = lab.enter("sh", "-c", "echo $XDG_RUNTIME_DIR/hardway/").out.strip()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                title = file.read()
        except OSError:
            continue
        if title.startswith("ssh: " + directory) and "[mux]" in title:
            yield int(pid)


def test_kept_connections_serve_the_next_command(cluster):
    await_true("no other command has left one", lambda: connections(cluster) == [], 5)
    cluster.hardway("install", "--keep-connections")
    kept = connections(cluster)
    assert [host for host, _ in kept] == sorted([*CONTROLLERS.values(), *BALANCERS.values()])
    for verb in ("install", "verify"):
        cluster.hardway(verb, "--keep-connections")
        assert connections(cluster) == kept, "used, and no others made"
    cluster.hardway("install")
    await_true("who does not want to keep any ends their own", lambda: connections(cluster) == kept, 5)


def test_kept_connections_that_are_dead_are_replaced(cluster):
    cluster.hardway("install", "--keep-connections")
    before = connections(cluster)
    killed = list(masters(cluster))
    assert len(killed) == 5
    for pid in killed:
        os.kill(pid, signal.SIGKILL)  # their sockets stay
    assert "nothing to change" in cluster.hardway("install", "--keep-connections").out
    assert len(connections(cluster)) == 5 and not set(connections(cluster)) & set(before)
    standby = next(lb for lb in BALANCERS if lb not in cluster.holder())
    cluster.tool("power", "cut", standby)
    cluster.tool("power", "on", standby)
    await_true("verify is green", lambda: cluster.hardway("verify", "--keep-connections", check=False).status == 0, 90)
    assert "nothing to change" in cluster.hardway("install", "--keep-connections").out
    for pid in masters(cluster):
        os.kill(pid, signal.SIGTERM)
    await_true("none is left", lambda: connections(cluster) == [], 20)


def test_kubeconfig_points_at_the_vip_and_works(cluster):
    text = cluster.hardway("kubeconfig").out
    assert f"https://{VIP}:6443" in text
    path = os.path.join(cluster.directory, "user.conf")
    cluster.hardway("kubeconfig", "--output", path)
    assert os.stat(path).st_mode & 0o777 == 0o600
    out = cluster.enter(cluster.binary("kubectl"), "--kubeconfig", path, "auth", "can-i", "*", "*").out
    assert out.strip() == "yes"


def test_kubeconfig_for_somebody_else(cluster):
    """Known by name and group (403 and not 401), who may do what a binding says and no more."""
    path = os.path.join(cluster.directory, "alice.conf")
    cluster.hardway("kubeconfig", "--user", "alice", "--group", "dev", "--days", "1", "--output", path)

    def ask(*words):
        return cluster.enter(cluster.binary("kubectl"), "--kubeconfig", path, *words, check=False)

    who = json.loads(ask("auth", "whoami", "-o", "json").out)["status"]["userInfo"]
    assert who["username"] == "alice" and "dev" in who["groups"]
    refused = ask("get", "--raw", "/api/v1/namespaces")
    assert refused.status != 0 and 'Forbidden' in refused.err and '"alice"' in refused.err, refused
    cluster.kubectl("create", "clusterrolebinding", "dev-view", "--clusterrole=view", "--group=dev")
    try:
        await_true("the binding holds", lambda: ask("get", "--raw", "/api/v1/namespaces").status == 0, 20)
        assert "Forbidden" in ask("get", "--raw", "/api/v1/secrets").err
    finally:
        cluster.kubectl("delete", "clusterrolebinding", "dev-view")


def test_apiserver_may_talk_to_kubelets(cluster):
    out = cluster.kubectl("auth", "can-i", "get", "nodes/proxy", "--as", "kube-apiserver-kubelet-client").out
    assert out.strip() == "yes"


def test_anonymous_sees_version_and_health_only(cluster):
    def status(path):
        return cluster.enter("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", "pki/ca.crt",
                             f"https://{VIP}:6443{path}").out
    assert [status(path) for path in ("/version", "/readyz", "/livez")] == ["200"] * 3
    assert status("/api/v1/namespaces") == "401"


def test_power_cut_of_a_controller_and_of_the_vips_owner(cluster):
    owner = cluster.holder()[0]
    victim = "controller-1"
    cluster.tool("power", "cut", owner, victim)
    try:
        await_true("the VIP answers without them", cluster.version, 20)
        assert cluster.holder() == [lb for lb in BALANCERS if lb != owner]
        await_true("a write through the VIP", lambda: cluster.kubectl(
            "create", "configmap", "written-in-the-dark", check=False).status == 0, 30)
        report = cluster.hardway("verify", check=76)
        assert victim in report.out and owner in report.out
    finally:
        cluster.tool("power", "on", owner, victim)
    await_true("verify is green again", lambda: cluster.hardway("verify", check=False).status == 0, 90)
    assert cluster.kubectl("get", "configmap", "written-in-the-dark", check=False).status == 0
    cluster.kubectl("delete", "configmap", "written-in-the-dark")
