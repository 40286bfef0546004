# SPDX-License-Identifier: LGPL-2.1-or-later
"""Certificates of a cluster that serves: renewed and rotated while a client reads and writes, and none of its requests fails."""
import base64
import contextlib
import glob
import json
import os
import re
import signal
import subprocess

import pytest

from lab import CONTROLLERS, TOP, await_true, edit
from serving import assert_undisturbed, starved

# Where a node fails its requests may: those that are under way when its apiserver goes.
IN_FLIGHT = 2

PORTS = [6443, 2379, 2380]
ETCDCTL = ("etcdctl --cacert=/etc/kubernetes/pki/etcd/ca.crt --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt"
           " --key=/etc/kubernetes/pki/etcd/healthcheck-client.key --endpoints=https://127.0.0.1:2379")
BREAK = "/run/systemd/system/kube-apiserver.service.d/test.conf"


@pytest.fixture(scope="module", name="network")
def network_fixture():
    return "wifi"


def served(lab):
    return {(host, port): lab.served(address, port) for host, address in CONTROLLERS.items() for port in PORTS}


def serials(lab):
    return {key: shown["serial"] for key, shown in served(lab).items()}


def assert_settled(lab):
    """All is as after an installation: nothing is left over, nothing differs, everything is well."""
    assert not os.path.exists(os.path.join(lab.directory, "pki", ".previous"))
    assert "nothing to change" in lab.hardway("install").out
    lab.verify()


def turn(lab):
    """The controllers in the order of a rollout: etcd's leader comes last."""
    out = lab.sh("controller-0", f"{ETCDCTL} endpoint status --cluster -w json").out
    leads = {re.search("//([0-9.]+):", row["Endpoint"]).group(1) for row in json.loads(out)
             if row["Status"]["leader"] == row["Status"]["header"]["member_id"]}
    return sorted(CONTROLLERS, key=lambda host: (CONTROLLERS[host] in leads, host))


@contextlib.contextmanager
def broken(lab, host):
    """An apiserver that starts with its old certificate only."""
    lab.sh(host, f"cp /etc/kubernetes/pki/apiserver.crt /root/old.crt; mkdir -p {os.path.dirname(BREAK)}; printf '[Service]\\nExecStartPre="
           f"+/usr/bin/cmp /etc/kubernetes/pki/apiserver.crt /root/old.crt\\n' >{BREAK}; systemctl daemon-reload")
    try:
        yield
    finally:
        lab.sh(host, f"rm {BREAK}; systemctl daemon-reload")


def test_a_failure_on_the_second_leaves_all_three_serving(cluster):
    before = serials(cluster)
    first, second, third = turn(cluster)  # as late as can be: the leader may be another one by and by
    with broken(cluster, second):
        with cluster.client() as seen:
            result = cluster.hardway("pki", "renew", check=69)
        print(seen)
        assert not seen["lost"] and (len(seen["failures"]) <= IN_FLIGHT or starved(cluster, seen["since"])), seen["failures"]
        assert f"{second}: " in result.err and f"{second} was given back what it had before, and works again" in result.err, result
        assert f"not touched: {third}" in result.err, result
        after = serials(cluster)
        for (host, port), serial in after.items():
            assert (serial == before[(host, port)]) == (host != first), (host, port)
        assert_settled(cluster)


def unproven(lab):
    """The nodes whose old certificates are still kept."""
    return {path.split("/nodes/")[1].split("/")[0] for path in
            glob.glob(os.path.join(lab.directory, "pki", ".previous", "nodes", "**", "*.*"), recursive=True)}


@contextlib.contextmanager
def killed(lab, *arguments):
    """A hardway that is killed, with all its children, when the body is done."""
    process = subprocess.Popen([os.path.join(TOP, "lab", "enter"), "--name", lab.name, "--", lab.program, *arguments], cwd=lab.directory,
                               env=lab.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        yield process
        assert process.poll() is None, "it was still at work"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_everything_is_renewed_and_what_is_killed_is_finished_by_the_next(cluster):
    before = serials(cluster)
    keys = cluster.sh("controller-1", "sha256sum /etc/kubernetes/pki/apiserver.key /etc/kubernetes/pki/etcd/peer.key").out
    conf = cluster.read("super-admin.conf")
    with cluster.client() as seen:
        first = turn(cluster)[0]
        with killed(cluster, "pki", "renew"):
            await_true("the first node is about to be changed", lambda: first in unproven(cluster), 60)
            await_true("the first node is proven", lambda: first not in unproven(cluster), 120)
        assert "a renewal was stopped" in cluster.hardway("status").out
        done = cluster.served(CONTROLLERS[first], 6443)["serial"]
        assert done != before[(first, 6443)]
        result = cluster.hardway("pki", "renew", "--wait")
    assert_undisturbed(cluster, seen)
    assert "The renewal that was stopped is finished: 2 nodes" in result.out, result
    after = serials(cluster)
    assert not set(before.values()) & set(after.values()) and len(set(after.values())) == 9, "each port shows a certificate of a new serial"
    assert after[(first, 6443)] == done, "what was proven is not made again"
    assert keys != cluster.sh("controller-1", "sha256sum /etc/kubernetes/pki/apiserver.key /etc/kubernetes/pki/etcd/peer.key").out
    assert conf != cluster.read("super-admin.conf")
    assert_settled(cluster)


def test_a_changed_name_reissues_exactly_what_has_it(cluster):
    before = serials(cluster)
    edit(cluster, r"^endpoint:\n", "endpoint:\n  names: [k8s.lab.example]\n")
    result = cluster.hardway("pki", "renew", "--changed", "--json").json
    assert sorted(entry["name"] for entry in result["entries"] if entry["outcome"] == "reissued") == \
        [f"nodes/{host}/pki/apiserver" for host in CONTROLLERS]
    for (host, port), shown in served(cluster).items():
        assert (shown["serial"] != before[(host, port)]) == (port == 6443)
        assert ("DNS:k8s.lab.example" in shown["text"]) == (port == 6443)
    assert_settled(cluster)


def phase(lab):
    try:
        with open(os.path.join(lab.directory, "pki", "rotation", "state"), encoding="utf-8") as file:
            return json.load(file)["phase"]
    except FileNotFoundError:
        return None


def key_id(lab, pem):
    """The key identifier of a CA, as its leafs name it."""
    text = lab.enter("openssl", "x509", "-noout", "-ext", "subjectKeyIdentifier", text_input=pem).out
    return re.search(r"([0-9A-F]{2}(:[0-9A-F]{2})+)", text).group(1)


def published_to_pods(lab, wanted):
    """What pods are given to check the apiserver with, once it is so many certificates."""
    text = lab.kubectl("get", "configmap", "-n", "default", "kube-root-ca.crt", "-o", r"jsonpath={.data.ca\.crt}").out
    return text if text.count("BEGIN") == wanted else None


def assert_other_verbs_work(lab, name, where):
    """Whatever the phase: nothing differs, all is well, and everybody is told."""
    assert "all valid" in lab.hardway("pki", "gen").out
    assert "nothing to change" in lab.hardway("install").out
    assert f"{name} is being replaced" in lab.hardway("verify").out
    assert f"phase {where}" in lab.hardway("status").out
    assert f"{name} is being replaced" in lab.hardway("pki", "list").out
    lab.hardway("pki", "check")
    lab.hardway("backup", "--force", "--passphrase-file", "-", "any.backup", text_input="long enough a passphrase\n")


@pytest.mark.long
def test_the_cluster_ca_is_replaced_and_killed_in_each_phase(cluster):
    old = cluster.read("pki/ca.crt")
    before = serials(cluster)
    with cluster.client() as seen:
        for name in ("trust", "reissue", "finish"):
            with killed(cluster, "pki", "rotate-ca", "cluster", "--yes"):
                await_true(f"some nodes are done with {name}", lambda: phase(cluster) == name and 0 < len(unproven(cluster)) < 3, 300)
            cluster.hardway("pki", "rotate-ca", "--until", name, "--yes", "--wait")
            if name == "trust":
                assert serials(cluster) == before
                published = await_true("pods are given both", lambda: published_to_pods(cluster, 2), 30)
                assert old.strip() in published
                assert_other_verbs_work(cluster, "ca", "trust")
    assert_undisturbed(cluster, seen)
    new = cluster.read("pki/ca.crt")
    assert new != old and new.count("BEGIN") == 1
    for (host, port), shown in served(cluster).items():
        assert (shown["issuer"] == key_id(cluster, new)) == (port == 6443)
        assert (shown["serial"] != before[(host, port)]) == (port == 6443)
    retired = glob.glob(os.path.join(cluster.directory, "pki", "retired", "ca-*.crt"))
    assert len(retired) == 1 and cluster.read(retired[0]) == old
    for host in CONTROLLERS:
        assert cluster.sh(host, "cat /etc/kubernetes/pki/ca.crt /etc/kubernetes/pki/signing-ca.crt").out == new + new
    # what is signed for others is signed by the new one
    request = cluster.enter("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "user.key",
                            "-subj", "/CN=somebody").out
    body = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "somebody"},
            "spec": {"request": base64.b64encode(request.encode()).decode(), "signerName": "kubernetes.io/kube-apiserver-client",
                     "usages": ["client auth"]}}
    cluster.kubectl("create", "-f", "-", text_input=json.dumps(body))
    cluster.kubectl("certificate", "approve", "somebody")
    issued = await_true("the certificate is issued", lambda: cluster.kubectl("get", "csr", "somebody", "-o", "jsonpath={.status.certificate}").out)
    with open(os.path.join(cluster.directory, "user.crt"), "wb") as file:
        file.write(base64.b64decode(issued))
    cluster.enter("openssl", "verify", "-CAfile", "pki/ca.crt", "user.crt")
    assert_settled(cluster)


@pytest.mark.long
def test_the_ca_of_etcd_is_replaced(cluster):
    before = serials(cluster)
    with cluster.client() as seen:
        cluster.hardway("pki", "rotate-ca", "etcd", "--until", "trust")
        assert serials(cluster) == before
        assert_other_verbs_work(cluster, "etcd/ca", "trust")
        refused = cluster.hardway("pki", "rotate-ca", "front-proxy", check=65)
        assert "etcd/ca is being replaced" in refused.err
        result = cluster.hardway("pki", "rotate-ca")
    assert_undisturbed(cluster, seen)
    assert "etcd's CA is replaced" in result.out, result
    new = key_id(cluster, cluster.read("pki/etcd/ca.crt"))
    for (host, port), shown in served(cluster).items():
        assert (shown["issuer"] == new) == (port != 6443)
        assert (shown["serial"] != before[(host, port)]) == (port != 6443)
    assert_settled(cluster)


def token(lab, account="default"):
    return lab.kubectl("create", "token", account, "--duration", "1h").out.strip()


def key_of(text):
    header = text.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]


def status(lab, bearer):
    """What each apiserver says to the bearer of a token."""
    return {lab.enter("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", "pki/ca.crt", "-H", f"Authorization: Bearer {bearer}",
                      f"https://{address}:6443/apis").out for address in CONTROLLERS.values()}


def test_the_key_of_service_accounts_is_replaced(cluster):
    old = token(cluster)
    before = serials(cluster)
    with cluster.client() as seen:
        result = cluster.hardway("pki", "rotate-sa")
        assert "hardway pki rotate-sa --until finish" in result.out
        new = token(cluster)
        assert key_of(new) != key_of(old)
        assert status(cluster, old) == status(cluster, new) == {"200"}
        assert_other_verbs_work(cluster, "sa", "reissue")
        cluster.hardway("pki", "rotate-sa", "--until", "finish", "--yes")
    assert_undisturbed(cluster, seen)
    assert status(cluster, old) == {"401"} and status(cluster, new) == {"200"}
    assert serials(cluster) == before
    assert_settled(cluster)


def encrypted_with(lab):
    """The key of each secret, by its name in etcd."""
    out = lab.sh("controller-0", f"{ETCDCTL} get --prefix /registry/secrets/ -w json").out
    found = {base64.b64decode(row["key"]).decode(): base64.b64decode(row["value"]) for row in json.loads(out)["kvs"]}
    return {name.removeprefix("/registry/secrets/"): re.match(rb"k8s:enc:secretbox:v1:(\w+):", value)[1].decode() for name, value in found.items()}


def read_everywhere(lab, name):
    """What each apiserver says is in a secret: none of them needs another one for it."""
    bearer = token(lab, "reader")
    seen = {lab.enter("curl", "-s", "--cacert", "pki/ca.crt", "-H", f"Authorization: Bearer {bearer}",
                      f"https://{address}:6443/api/v1/namespaces/default/secrets/{name}").json["data"]["a"] for address in CONTROLLERS.values()}
    return {base64.b64decode(value).decode() for value in seen}


def make_secret(lab, name):
    lab.kubectl("create", "secret", "generic", name, f"--from-literal=a={name}")


def test_the_key_for_secrets_is_replaced(cluster):
    """Nobody notices, all can still be read, and in etcd nothing is left that the old one opens."""
    cluster.kubectl("create", "serviceaccount", "reader")
    cluster.kubectl("create", "role", "reader", "--verb=get", "--resource=secrets")
    cluster.kubectl("create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:reader")
    for name in ("before", "fixed"):
        make_secret(cluster, name)
    cluster.kubectl("patch", "secret", "fixed", "-p", '{"immutable": true}')
    assert set(encrypted_with(cluster).values()) == {"key1"}
    cluster.hardway("etcd", "snapshot", "before.db")

    with cluster.client() as seen:
        cluster.hardway("pki", "rotate-key", "--until", "reissue")
        make_secret(cluster, "meanwhile")
        assert encrypted_with(cluster) | {"default/before": "key1", "default/meanwhile": "key2"} == encrypted_with(cluster)
        result = cluster.hardway("pki", "rotate-key")
    assert_undisturbed(cluster, seen)
    assert re.search(r"Z [1-9]\d* of [1-9]\d* secrets were encrypted with the new one", result.out), result
    assert set(encrypted_with(cluster).values()) == {"key2"}
    for name in ("before", "fixed", "meanwhile"):
        assert read_everywhere(cluster, name) == {name}
    for host in CONTROLLERS:
        assert cluster.sh(host, "grep -c secret: /etc/kubernetes/encryption-config.yaml").out == "1\n"
    assert_settled(cluster)


@pytest.mark.long
def test_a_snapshot_from_before_the_key_was_replaced(cluster):
    """It is restored with the old key, which is taken back; the next replacement lets it go again."""
    assert "key1, replaced since: would be taken back" in cluster.hardway("etcd", "restore", "before.db", "--dry-run").out
    result = cluster.hardway("etcd", "restore", "before.db", "--yes")
    assert "key1, replaced since: taken back" in result.out, result
    assert read_everywhere(cluster, "before") == {"before"}
    make_secret(cluster, "later")
    keys = encrypted_with(cluster)
    assert keys["default/before"] == "key1" and keys["default/later"] == "key2" and "default/meanwhile" not in keys
    cluster.hardway("pki", "rotate-key")
    assert set(encrypted_with(cluster).values()) == {"key3"}
    for name in ("before", "later"):
        assert read_everywhere(cluster, name) == {name}
    assert_settled(cluster)
