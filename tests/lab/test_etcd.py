# SPDX-License-Identifier: LGPL-2.1-or-later
"""etcd's life: members, snapshots, a lost quorum, restores, a lost controller, alarms. One cluster; every test leaves it healthy."""
import json
import os
import re
import shutil
import subprocess

import pytest

from lab import BALANCERS, CONTROLLERS, TOP, await_true
from serving import assert_undisturbed, do_unnoticed

# What makes a host as good as new for hardway: nothing of it is left.
WIPE = """systemctl stop kube-scheduler kube-controller-manager kube-apiserver etcd 2>/dev/null
systemctl disable kube-scheduler kube-controller-manager kube-apiserver etcd 2>/dev/null
rm -rf /opt/hardway /etc/kubernetes /var/lib/etcd /var/lib/etcd-snapshots /var/lib/hardway /etc/systemd/system/etcd.service /etc/systemd/system/kube-*.service
rm -rf /var/lib/kube-controller-manager /var/log/kubernetes
for user in etcd kube-apiserver kube-controller-manager kube-scheduler; do userdel $user 2>/dev/null; done
systemctl daemon-reload; sync"""

CLOSED = """
table bridge faults {
        chain forward { type filter hook forward priority 0;
                ip saddr 10.77.0.20 ip daddr 10.77.0.21 tcp dport 2380 drop
        }
}
"""


@pytest.fixture(scope="module", name="network")
def network_fixture():
    return "wifi"


def members(lab):
    return lab.hardway("etcd", "members", "--json").json


def member(lab, name):
    return next((m for m in members(lab)["members"] if m["name"] == name), None)


def is_well(lab):
    seen = members(lab)
    return seen["healthy"] == seen["voters"] == len(CONTROLLERS) == len(seen["members"])


def await_well(lab):
    await_true("three healthy voters", lambda: is_well(lab), 60)
    lab.await_green()


def maps(lab):
    return set(lab.kubectl("get", "configmaps", "-n", "default", "-o", "name").out.split())


def look(lab, host):
    """What the watch says on a node."""
    return lab.sh(host, "systemctl start hardway-watch; cat /run/hardway/watch").out


def test_members(cluster):
    seen = members(cluster)
    assert seen["quorum"] and seen["voters"] == 3 and seen["needed"] == 2 and "text" not in seen
    assert sorted(m["role"] for m in seen["members"]) == ["leader", "voter", "voter"]
    for m in seen["members"]:
        assert m["state"] == "healthy" and m["version"] == "3.6.16" and m["db_size"] >= m["db_size_in_use"] > 0
        assert m["raft_term"] > 0 and m["raft_index"] > 0 and m["latency"] > 0 and m["alarms"] == []
    out = cluster.hardway("etcd", "members").out
    assert "1 more may fail" in out and all(name in out for name in CONTROLLERS)


def test_snapshot(cluster, tmp_path):
    cluster.kubectl("create", "configmap", "in-the-snapshot")
    path = str(tmp_path / "a.db")
    seen = cluster.hardway("etcd", "snapshot", path, "--json").json
    assert os.stat(path).st_mode & 0o777 == 0o600 and os.stat(path).st_size == seen["size"]
    assert seen["quorum"] and seen["keys"] > 100 and seen["revision"] > 100
    status = cluster.enter(cluster.binary("etcdutl"), "snapshot", "status", path, "-w", "json").json
    assert status["revision"] == seen["revision"] and status["totalKey"] == seen["keys"]
    with open(path, "rb") as file:
        data = file.read()
    with open(os.path.join(cluster.directory, "secrets", "identity"), "rb") as file:
        assert b"hardway-identity:" + file.read().strip() in data
    assert b"in-the-snapshot" in data
    assert "will not replace" in cluster.hardway("etcd", "snapshot", path, check=73).err
    cluster.hardway("etcd", "snapshot", path, "--force", "--node", "controller-2")
    assert "snapshots/" in cluster.hardway("etcd", "snapshot").out
    cluster.kubectl("delete", "configmap", "in-the-snapshot")


def test_snapshot_on_a_full_disk_leaves_nothing(cluster, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", small], check=True)
    try:
        result = cluster.hardway("etcd", "snapshot", str(small / "a.db"), check=74)
        assert "free" in result.err and os.listdir(small) == []
    finally:
        subprocess.run(["umount", small], check=True)


def test_scheduled_snapshots(cluster, tmp_path):
    host, directory = "controller-0", "/var/lib/etcd-snapshots"
    assert cluster.sh(host, "systemctl is-active etcd-snapshot.timer").out == "active\n"
    before = [name for name in cluster.sh(host, f"ls {directory}").out.split() if name.endswith(".db")]
    for _ in range(2):
        cluster.sh(host, f"systemctl start etcd-snapshot; cd {directory}; for n in 1 2 3 4 5 6; do touch 2001-01-0${{n}}T000000Z.db; done; sleep 1")
    cluster.sh(host, "systemctl start etcd-snapshot")
    after = sorted(name for name in cluster.sh(host, f"ls {directory}").out.split() if name.endswith(".db"))
    assert len(after) == 6 and after[-1] > max([*before, "2026"]), "the newest six stay"
    last = json.loads(cluster.sh(host, f"cat {directory}/last").out)
    assert last["file"] == after[-1] and last["status"]["totalKey"] > 100
    assert cluster.sh(host, f"stat -c '%a %U' {directory} {directory}/{after[-1]} {directory}/last").out == "711 etcd\n600 etcd\n644 etcd\n"
    checks = {c["id"]: c for c in cluster.hardway("status", "--json").json["checks"]}
    assert checks[f"etcd.snapshots/{host}"]["state"] == "ok" and checks[f"etcd.snapshots/{host}"]["data"]["revision"] > 100
    assert "the last snapshot of etcd is 0 hours old" in look(cluster, host)
    # brought here, once
    cluster.sh("controller-2", "systemctl start etcd-snapshot")
    pulled = {one["node"]: one for one in cluster.hardway("etcd", "snapshot", "--pull", str(tmp_path), "--json").json}
    assert pulled[host]["outcome"] == "pulled" and pulled["controller-1"]["outcome"] in ("none", "pulled")
    assert pulled[host]["file"].endswith(f"-{host}-{after[-1]}") and pulled[host]["revision"] > 100
    status = cluster.enter(cluster.binary("etcdutl"), "snapshot", "status", pulled[host]["file"], "-w", "json").json
    assert status["revision"] == pulled[host]["revision"]
    assert f"Have {pulled[host]['file']}" in cluster.hardway("etcd", "snapshot", "--pull", str(tmp_path), "--node", host).out
    # one that fails is told of, and leaves nothing that counts
    cluster.sh(host, f"mv {directory}/last {directory}/kept; mkdir {directory}/new.part; systemctl start etcd-snapshot", check=False)
    try:
        report = cluster.hardway("verify", check=76).out
        assert "the last one failed" in report and "journalctl -u etcd-snapshot" in report
        assert "the last snapshot of etcd failed" in look(cluster, host)
    finally:
        cluster.sh(host, f"rmdir {directory}/new.part; rm {directory}/kept; systemctl start etcd-snapshot")
    await_well(cluster)


def test_defrag_and_alarms(cluster):
    assert "left as it is" in cluster.hardway("etcd", "defrag").out
    done = cluster.hardway("etcd", "defrag", "--all", "--json").json
    assert [(m["success"], m["text"]) for m in done["members"]] == [(True, "done")] * 3, done
    # there is little to be given back, and apiservers write meanwhile
    assert all(m["size"] <= 1.5 * m["size_before"] for m in done["members"]), done
    after = members(cluster)
    assert is_well(cluster)
    do_unnoticed(cluster, lambda: cluster.hardway("etcd", "defrag", "--all"), least=4)

    raised = int(after["members"][0]["id"], 16)
    credential = [f"pki/nodes/controller-0/pki/etcd/healthcheck-client.{kind}" for kind in ("crt", "key")]
    body = json.dumps({"action": "ACTIVATE", "memberID": str(raised), "alarm": "NOSPACE"})
    cluster.enter("curl", "--silent", "--fail", "--cacert", "pki/etcd/ca.crt", "--cert", credential[0], "--key", credential[1], "-d", body,
                  f"https://{CONTROLLERS['controller-0']}:2379/v3/maintenance/alarm")
    assert cluster.kubectl("create", "configmap", "too-much", check=False).status != 0
    assert "NOSPACE" in cluster.hardway("etcd", "members").out
    assert "hardway etcd defrag" in cluster.hardway("verify", check=76).out
    out = cluster.hardway("etcd", "defrag").out
    assert "compacted" in out and "is cleared" in out
    await_true("writes again", lambda: cluster.kubectl("create", "configmap", "fits-again", check=False).status == 0, 30)
    cluster.kubectl("delete", "configmap", "fits-again")
    await_well(cluster)


@pytest.mark.long
def test_no_quorum_with_an_empty_disk(cluster):
    """It would count, and know nothing of what the others were told: whoever came back first with it would go on without that.
    Before the first restore here: after one no member without data begins by itself at all."""
    victim, others = "controller-0", ["controller-1", "controller-2"]
    served = os.path.join(cluster.directory, "secrets", "served")

    def refused():
        said = cluster.hardway("install", "--node", victim, check=65).err
        assert cluster.sh(victim, "ls -d /var/lib/etcd; systemctl is-active etcd", check=False).out == "inactive\n"
        return said

    cluster.kubectl("create", "configmap", "acknowledged")
    cluster.tool("power", "cut", *others)
    try:
        cluster.sh(victim, WIPE, check=False)
        cluster.tool("power", "cut", victim)
        cluster.tool("power", "on", victim)
        said = refused()
        assert f"{victim}: has no etcd data, no member answers that it could join, and controller-1 has some or cannot be asked" in said
        assert f"hardway etcd replace {victim}" in said and "hardway etcd restore" in said
        # what lies on another one's disk says so, too, although it serves nobody, and the directory had not been told
        os.rename(served, served + ".kept")
        cluster.tool("power", "on", "controller-1")
        said = refused()
        assert "was a member of this etcd cluster, but its data is gone" in said
        assert f"hardway etcd replace {victim}, once enough of the others serve" in said and "hardway install --node" in said
    finally:
        if os.path.exists(served + ".kept"):
            os.rename(served + ".kept", served)
        cluster.tool("power", "on", *others, check=False)
    await_true("the others are a quorum", lambda: members(cluster)["quorum"], 60)
    # an apiserver that has just started may have no roles yet
    await_true("what was acknowledged is there", lambda: "configmap/acknowledged" in cluster.kubectl(
        "get", "configmaps", "-n", "default", "-o", "name", check=False).out, 60)
    cluster.hardway("etcd", "replace", victim, "--yes")
    await_well(cluster)
    cluster.kubectl("delete", "configmap", "acknowledged")


def test_restore_refuses_what_is_not_ours(cluster, tmp_path):
    path = str(tmp_path / "ours.db")
    cluster.hardway("etcd", "snapshot", path)
    other = tmp_path / "other"
    shutil.copytree(cluster.directory, other)
    (other / "secrets" / "identity").write_text("f" * 32 + "\n", encoding="ascii")
    result = cluster.hardway("etcd", "restore", path, "--yes", check=65, cwd=str(other))
    assert "another cluster" in result.err and "--force" in result.err
    damaged = tmp_path / "damaged.db"
    data = bytearray((tmp_path / "ours.db").read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    assert "damaged" in cluster.hardway("etcd", "restore", str(damaged), "--yes", check=76).err
    damaged.write_bytes(data[:len(data) // 2 + 7])
    cluster.hardway("etcd", "restore", str(damaged), "--yes", check=76)
    cluster.hardway("etcd", "restore", path, check=64)
    assert "Would replace" in cluster.hardway("etcd", "restore", path, "--dry-run").out
    assert is_well(cluster)


@pytest.mark.long
def test_restore_goes_on_after_a_kill(cluster, tmp_path):
    """Killed where half of the members may have the new data; the same command finishes it. With a load balancer off all the while, which is no
    reason to leave the cluster without data."""
    path = str(tmp_path / "a.db")
    cluster.kubectl("create", "configmap", "before")
    cluster.hardway("etcd", "snapshot", path)
    cluster.kubectl("create", "configmap", "after")
    old = {m["id"] for m in members(cluster)["members"]}
    off = next(lb for lb in BALANCERS if lb not in cluster.holder())
    cluster.tool("power", "cut", off)
    kill_at(cluster, "data swapped", "etcd", "restore", path, "--yes")
    done = cluster.hardway("etcd", "restore", path, "--yes", "--wait", "--json")
    cluster.tool("power", "on", off)
    assert any(off in event["text"] and "left as it is" in event["text"] for event in done.events if event["event"] == "warning")
    seen = done.json
    assert seen["members"] == 3 and seen["revision"] > 1000000000
    assert "configmap/before" in maps(cluster) and "configmap/after" not in maps(cluster)
    assert not old & {m["id"] for m in members(cluster)["members"]}, "a member of before could join again"
    assert not os.path.exists(os.path.join(cluster.directory, "secrets", "etcd-restore"))
    await_well(cluster)
    for host in CONTROLLERS:
        assert cluster.sh(host, "ls /var/lib/etcd").out.split() == ["member"]
    assert "nothing to change" in cluster.hardway("install").out
    cluster.kubectl("delete", "configmap", "before")


def kill_at(lab, stage, *arguments):
    """Runs hardway, and kills it as soon as it says that it is at, or through with, this stage."""
    argv = [os.path.join(TOP, "lab", "enter"), "--name", lab.name, "--", "sh", "-c", 'echo $$; exec "$0" "$@" 2>&1', lab.program, *arguments]
    with subprocess.Popen(argv, cwd=lab.directory, env=lab.env, stdout=subprocess.PIPE, text=True) as process:
        pid = process.stdout.readline().strip()
        said = []
        for line in process.stdout:
            said.append(line)
            if stage in line:
                subprocess.run(["kill", "-KILL", pid], check=False)
                break
        else:
            raise AssertionError(f"never came to '{stage}':\n{''.join(said)}")
        process.stdout.read()


def test_lost_quorum_is_named_and_comes_back_with_one_member(cluster):
    cluster.kubectl("create", "configmap", "kept")
    cluster.tool("power", "cut", "controller-1", "controller-2")
    try:
        seen = members(cluster)
        assert not seen["quorum"] and seen["up"] == 1 and seen["needed"] == 2
        assert "one of controller-1 and controller-2 has to come back" in seen["advice"] and "etcd restore" in seen["advice"]
        assert "quorum is lost" in cluster.hardway("status").out
        report = cluster.hardway("verify", check=76).out
        assert "quorum is lost" in report and "has to come back" in report
        # what still answers: reads from memory, no write
        cached = cluster.kubectl("get", "--raw", "/api/v1/namespaces/default/configmaps?resourceVersion=0", "--request-timeout=5s")
        assert '"name":"kept"' in cached.out
        assert cluster.kubectl("create", "configmap", "refused", "--request-timeout=5s", check=False).status != 0
        assert "--node" in cluster.hardway("etcd", "snapshot", "lost.db", check=69).err
        result = cluster.hardway("etcd", "snapshot", "lost.db", "--node", "controller-0")
        assert "reaches no quorum" in result.err
        assert "quorum is lost" in cluster.hardway("etcd", "replace", "controller-1", "--yes", check=69).err
        cluster.tool("power", "on", "controller-1")
        advice = seen["advice"]
        assert "switch it on, then hardway install --node NAME, which finds its data" in advice
        cluster.hardway(*re.search(r"hardway (install --node NAME)", advice)[1].replace("NAME", "controller-1").split())
        await_true("the data is there", lambda: "configmap/kept" in cluster.kubectl(
            "get", "configmaps", "-o", "name", check=False).out, 60)
    finally:
        cluster.tool("power", "on", "controller-1", "controller-2", check=False)
    await_well(cluster)
    cluster.kubectl("delete", "configmap", "kept")


def test_replace_a_destroyed_controller(cluster):
    victim = "controller-1"
    assert "is healthy" in cluster.hardway("etcd", "replace", victim, "--yes", check=65).err
    cluster.sh(victim, WIPE, check=False)
    cluster.tool("power", "cut", victim)
    cluster.tool("power", "on", victim)
    old = member(cluster, victim)["id"]
    assert f"hardway etcd replace {victim}" in cluster.hardway("install", check=65).err
    # what speaks against it is asked before the member is taken out
    cluster.sh(victim, "mkdir -p /opt && mount -t tmpfs -o size=20M tmpfs /opt")
    refused = cluster.hardway("etcd", "replace", victim, "--yes", check=74).err
    assert "are needed on its disk" in refused and "nothing was changed" in refused and f"hardway etcd replace {victim}" in refused
    assert member(cluster, victim)["id"] == old
    cluster.sh(victim, "umount /opt")
    # and so is what is between it and the others: a firewall, or the card of another one that was copied
    machine_id = cluster.sh("controller-0", "cat /etc/machine-id").out.strip()
    cluster.sh(victim, f"cp /etc/machine-id /root/; echo {machine_id} >/etc/machine-id")
    cluster.enter("nft", "-f", "-", text_input=CLOSED)
    try:
        for command in (["etcd", "replace", victim, "--yes"], ["install", "--node", victim, "--ignore", "etcd-data"]):
            refused = cluster.hardway(*command, check=65).err
            assert f"{victim}: has the same machine-id as controller-0" in refused and f"controller-0: {victim}:2380 does not answer" in refused
            assert f"controller-2: {victim}" not in refused
    finally:
        cluster.enter("nft", "delete", "table", "bridge", "faults")
        cluster.sh(victim, "cp /root/machine-id /etc/")
    assert member(cluster, victim)["id"] == old
    with cluster.client() as seen:
        # killed when its learner is in the list; the same command finds and uses it
        kill_at(cluster, f"{victim}: units", "etcd", "replace", victim, "--yes")
        cluster.hardway("etcd", "replace", victim, "--yes", "--wait")
    assert_undisturbed(cluster, seen)
    new = member(cluster, victim)
    assert new["id"] != old and new["role"] != "learner" and new["healthy"]
    assert cluster.sh(victim, "ls /run/systemd/system/etcd.service.d 2>/dev/null || :").out == ""
    await_well(cluster)
    assert "nothing to change" in cluster.hardway("install").out


def test_replace_is_refused_where_it_would_cost_the_quorum(cluster):
    cluster.sh("controller-2", "systemctl stop kube-apiserver etcd")
    try:
        result = cluster.hardway("etcd", "replace", "controller-1", "--force", "--yes", check=69)
        assert "no quorum" in result.err and "Mend one of the others" in result.err
    finally:
        cluster.hardway("install", "--node", "controller-2")
    await_well(cluster)


def test_replace_of_one_of_two_is_refused(cluster):
    """As a replacement that was interrupted leaves them: the other one alone could not vote it out, once it is stopped."""
    kill_at(cluster, "controller-2: old member out", "etcd", "replace", "controller-2", "--force", "--yes")
    await_true("two are left", lambda: members(cluster)["voters"] == 2, 30)
    refused = cluster.hardway("etcd", "replace", "controller-1", "--force", "--yes", "--wait", check=69).err
    assert "1 of 2 voters would be healthy, 2 are needed" in refused
    assert cluster.sh("controller-1", "systemctl is-active etcd").out == "active\n"
    cluster.hardway("etcd", "replace", "controller-2", "--yes")
    await_well(cluster)
