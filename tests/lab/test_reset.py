# SPDX-License-Identifier: LGPL-2.1-or-later
"""`hardway reset` on a cluster that serves: what the quorum can do without goes, the rest is refused, and data may stay."""
import json
import os
import re
import shutil
import signal
import subprocess

from lab import BALANCERS, CONTROLLERS, TOP, await_true, edit
from test_rollout import aside, assert_unnoticed, servers, starved

FIND = ("find / -xdev \\( -path /proc -o -path /sys -o -path /tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/apt"
        " -o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /root -o -path /home -o -path /var/tmp \\) -prune -o -print | sort")


def etcdctl(lab, host, command):
    return lab.sh(host, "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/kubernetes/pki/etcd/ca.crt"
                  " --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt --key=/etc/kubernetes/pki/etcd/healthcheck-client.key " + command).out


def members(lab):
    return {member["name"]: member["ID"] for member in json.loads(etcdctl(lab, "controller-0", "member list -w json"))["members"]}


def make_lead(lab, name):
    [leader] = [member["name"] for member in lab.hardway("etcd", "members", "--json").json["members"] if member["role"] == "leader"]
    if leader != name:
        etcdctl(lab, leader, f"move-leader {members(lab)[name]:x}")


def well_again(lab):
    lab.hardway("install")
    await_true("the cluster is well", lambda: lab.hardway("verify", check=False).status == 0, 60, 2)


def reset_unnoticed(lab, host, *more):
    """etcd's leader, and an apiserver that has its share of the connections. Done once more where the machine was too busy for its hosts."""
    for turn in range(3):
        if turn:
            well_again(lab)
        make_lead(lab, host)
        with lab.client() as seen:
            lab.hardway("reset", "--yes", *more, "--node", host)
        if not (seen["failures"] or seen["watch_cut"]) or not starved(lab, seen["since"]):
            break
    assert_unnoticed(lab, seen, writes_refused=1)
    assert aside(lab) == {lb: [] for lb in BALANCERS}
    for lb in BALANCERS:
        await_true(f"{lb} sees that it is gone", lambda balancer=lb: servers(lab, balancer)[host].startswith("DOWN"), 10)


def interrupt(lab):
    """Ctrl-C while it looks at the nodes: nothing is removed. It comes while the program is stopped, so that nothing is waited for any more."""
    add = subprocess.Popen([os.path.join(TOP, "lab", "enter"), "--name", lab.name, "controller-2", "--", "sh", "-c",
                            "exec 9>>/run/hardway/run.lock; flock 9; echo somebody >/run/hardway/run.lock; echo held; cat"],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert add.stdout.readline() == "held\n"
    reset = lab.start("reset", "--yes", "--wait", "--node", "controller-2", output=subprocess.PIPE)
    assert any("controller-2: waiting, as it is in use by somebody" in line for line in reset.stdout)
    reset.send_signal(signal.SIGSTOP)
    add.communicate("")
    reset.send_signal(signal.SIGINT)
    reset.send_signal(signal.SIGCONT)
    out, err = reset.communicate(timeout=60)
    assert reset.returncode == 75 and err == "hardway: stopped as asked; nothing was removed\n", (out, err)
    await_true("the lock is free", lambda: lab.sh("controller-2", "flock -n /run/hardway/run.lock true", check=False).status == 0, 5)
    lab.hardway("verify")


def test_reset_of_a_living_cluster(make_lab, tmp_path):
    lab = make_lab("reset-live")
    lab.init()
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    before = lab.sh("controller-2", FIND).out.split("\n")
    lab.sh("controller-2", "systemd-run -q --wait --unit=theirs false", check=False)
    lab.hardway("install")
    known = members(lab)

    # what will be done is said, also where nothing is done
    result = lab.hardway("reset", "--node", "controller-2", "--dry-run")
    assert re.search(r"stops +etcd\.service, .*kube-apiserver\.service", result.out), result
    assert re.search(r"with all data in +.*/var/lib/etcd", result.out) and "etcd goes on with 2 of 3 members, and then none may fail" in result.out
    assert lab.version()

    interrupt(lab)

    # a node of another cluster, as after a slip in the cluster file
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(os.path.join(lab.directory, "hardway.yaml"), other)
    lab.hardway("pki", "gen", cwd=str(other))
    assert "controller-2 was installed for another cluster" in lab.hardway("reset", "--yes", "--node", "controller-2", check=65, cwd=str(other)).err
    assert lab.version()

    # two of three, or all: refused, and nothing is touched
    for nodes in ([], ["--node", "controller-1", "--node", "controller-2"]):
        result = lab.hardway("reset", "--yes", *nodes, check=65)
        assert "quorum needs 2" in result.err and "--force" in result.err, result
    lab.hardway("verify")

    # one goes, with its data kept; the others serve on, and a second one has to stay
    reset_unnoticed(lab, "controller-2", "--keep-etcd")
    assert lab.version()
    left = set(lab.sh("controller-2", FIND).out.split("\n")) - set(before)
    assert [path for path in sorted(left) if not path.startswith(("/var/lib/etcd", "/var/lib/hardway"))] == []
    assert "/var/lib/hardway/etcd-identity" in left and "/var/lib/etcd/member" in left
    assert "/var/lib/etcd-snapshots" in left
    assert lab.sh("controller-2", "stat -c %U /var/lib/etcd").out == "etcd\n"
    lab.hardway("reset", "--yes", "--node", "controller-1", check=65)
    assert lab.version()

    # and comes back as the member that it was
    well_again(lab)
    assert members(lab) == known

    # without data it is as it was before hardway came, also where an earlier plan had more
    edit(lab, "every: 12h", "every: never")
    lab.hardway("install")
    assert "etcd-snapshot.timer" not in lab.sh("controller-2", "systemctl list-timers --all").out
    assert "/var/lib/etcd-snapshots" in lab.hardway("reset", "--node", "controller-2", "--dry-run").out
    lab.hardway("reset", "--yes", "--node", "controller-2")
    assert set(lab.sh("controller-2", FIND).out.split("\n")) - set(before) == set()
    assert lab.sh("controller-2", "systemctl is-failed theirs", check=False).out == "failed\n"
    assert lab.version() and all(lab.version(address) for host, address in CONTROLLERS.items() if host != "controller-2")

    # the VIP is elsewhere before its owner goes; with it go connections, and what is on its way at that very moment
    [owner] = lab.holder()
    with lab.client() as seen:
        lab.hardway("reset", "--yes", "--node", owner)
    assert not seen["lost"] and seen["gap"] < 2 and len(seen["failures"]) <= 2, seen
    assert lab.holder() == [lb for lb in BALANCERS if lb != owner]
    lab.hardway("reset", "--yes", "--force")
    assert not lab.version()
