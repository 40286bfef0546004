# SPDX-License-Identifier: LGPL-2.1-or-later
"""`hardway reset` on a cluster that serves: what the quorum can do without goes, the rest is refused, and data may stay."""
import json
import os
import re
import shutil
import signal
import subprocess

from lab import BALANCERS, CONTROLLERS, TOP, await_true, edit
from serving import aside, do_unnoticed, moments, servers

FIND = ("find / -xdev \\( -path /proc -o -path /sys -o -path /tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/apt"
        " -o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /root -o -path /home -o -path /var/tmp \\) -prune -o -print | sort")


# what services of hardway's write to
PLACES = "/var/lib/etcd /var/lib/etcd-snapshots /var/lib/kube-controller-manager /var/log/kubernetes"


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
    def prepare(turn):
        if turn:
            well_again(lab)
        make_lead(lab, host)

    do_unnoticed(lab, lambda: lab.hardway("reset", "--yes", *more, "--node", host), prepare)
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
    lab.verify()


def test_reset_of_a_living_cluster(make_lab, tmp_path):
    lab = make_lab("reset-live", image="bookworm")
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
    assert lab.version(timeout=5)

    interrupt(lab)

    # a node of another cluster, as after a slip in the cluster file
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(os.path.join(lab.directory, "hardway.yaml"), other)
    lab.hardway("pki", "gen", cwd=str(other))
    assert "controller-2 was installed for another cluster" in lab.hardway("reset", "--yes", "--node", "controller-2", check=65, cwd=str(other)).err
    assert lab.version(timeout=5)

    # two of three, or all: refused, and nothing is touched
    for nodes in ([], ["--node", "controller-1", "--node", "controller-2"]):
        result = lab.hardway("reset", "--yes", *nodes, check=65)
        assert "quorum needs 2" in result.err and "--force" in result.err, result
    lab.verify()

    # one goes, with its data kept; the others serve on, and a second one has to stay
    reset_unnoticed(lab, "controller-2", "--keep-etcd")
    assert lab.version(timeout=5)
    left = set(lab.sh("controller-2", FIND).out.split("\n")) - set(before)
    assert [path for path in sorted(left) if not path.startswith(("/var/lib/etcd", "/var/lib/hardway"))] == []
    assert "/var/lib/hardway/etcd-identity" in left and "/var/lib/etcd/member" in left
    assert "/var/lib/etcd-snapshots" in left
    assert lab.sh("controller-2", "stat -c %U /var/lib/etcd").out == "etcd\n"
    lab.hardway("reset", "--yes", "--node", "controller-1", check=65)
    assert lab.version(timeout=5)

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
    assert lab.sh("controller-2", f"ls -d {PLACES} /var/lib/hardway", check=False).out == ""
    # and once more, when others have something in such places
    lab.sh("controller-2", "useradd --system etcd; mkdir -p /var/lib/etcd/default /var/lib/etcd-snapshots /var/log/kubernetes; touch"
           " /var/lib/etcd/default/db /var/log/kubernetes/audit.log; chown -R etcd: /var/lib/etcd /var/lib/etcd-snapshots")
    theirs = lab.sh("controller-2", f"find {PLACES} -printf '%p %m %u:%g\\n' 2>/dev/null | sort", check=False).out
    assert len(theirs.splitlines()) == 6
    lab.hardway("reset", "--yes", "--node", "controller-2")
    assert lab.sh("controller-2", f"find {PLACES} -printf '%p %m %u:%g\\n' 2>/dev/null | sort", check=False).out == theirs
    assert lab.sh("controller-2", "systemctl is-failed theirs", check=False).out == "failed\n"
    assert lab.version(timeout=5) and all(lab.version(address, timeout=5) for host, address in CONTROLLERS.items() if host != "controller-2")

    # the VIP is elsewhere before its owner goes; with it go connections, and what is on its way at that very moment
    [owner] = lab.holder()
    with lab.client() as seen:
        lab.hardway("reset", "--yes", "--node", owner)
    assert not seen["lost"] and seen["gap"] < 5 and moments(seen["failures"]) <= 1, seen
    assert lab.holder() == [lb for lb in BALANCERS if lb != owner]
    lab.hardway("reset", "--yes", "--force")
    assert not lab.version()


# On a machine that serves something else: all there is of haproxy and keepalived, and what systemd and dpkg say of them.
OURS = FIND.replace("-print ", "-printf '%p %y %m %u:%g\\n' ") + """
cd /; find etc/haproxy etc/keepalived etc/systemd/system usr/local/bin -type f | sort | xargs sha256sum
for unit in haproxy keepalived; do systemctl is-enabled $unit; systemctl is-active $unit; done
dpkg -V haproxy keepalived; :"""
PAGE = """#!/bin/sh
printf 'defaults\\n  mode http\\n  timeout client 5s\\n  timeout server 5s\\n  timeout connect 5s\\n\\nfrontend page\\n  bind :8099\\n' >/etc/haproxy/haproxy.cfg
printf '  http-request return status 200 content-type text/plain string theirs\\n' >>/etc/haproxy/haproxy.cfg
chown root:haproxy /etc/haproxy/haproxy.cfg; chmod 0640 /etc/haproxy/haproxy.cfg
echo 'global_defs { router_id theirs }' >/etc/keepalived/keepalived.conf; chmod 0600 /etc/keepalived/keepalived.conf
systemctl disable -q --now keepalived; systemctl restart haproxy; systemctl enable -q haproxy
printf '#!/bin/sh\\necho theirs\\n' >/usr/local/bin/kubectl; chmod 0700 /usr/local/bin/kubectl
"""


def theirs(lab, host):
    return lab.enter("curl", "-s", f"http://{BALANCERS[host]}:8099/", check=False).out


def test_what_was_there_before_comes_back(make_lab):
    """haproxy and keepalived came with the machines: on one as their packages left them, on the other they work for somebody."""
    lab = make_lab("before", {"controller-0": CONTROLLERS["controller-0"], **{lb: f"{address}:preinstalled" for lb, address in BALANCERS.items()}})
    lab.init(controllers={"controller-0": CONTROLLERS["controller-0"]})
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    lab.sh("lb-1", PAGE)
    lab.sh("controller-0", "printf theirs >/usr/local/bin/etcdctl; chmod 0711 /usr/local/bin/etcdctl")
    assert theirs(lab, "lb-1") == "theirs"
    before = {host: lab.sh(host, OURS).out for host in ["controller-0", *BALANCERS]}
    assert "written by somebody else" in lab.hardway("install", check=False).err
    told = lab.hardway("plan").out
    for path in ("/etc/haproxy/haproxy.cfg", "/usr/local/bin/etcdctl"):
        assert re.search(rf"update {path} \(.*not hardway's: kept", told), told

    lab.hardway("install", "--ignore", "lb-config", "--ignore", "programs")
    lab.verify()
    assert theirs(lab, "lb-1") == "" and lab.sh("controller-0", "etcdctl version").out.startswith("etcdctl version")
    assert lab.sh("lb-1", "stat -c '%a %U' /var/lib/hardway/before; cat /var/lib/hardway/before/etc/keepalived/keepalived.conf").out == (
        "700 root\nglobal_defs { router_id theirs }\n")
    assert "nothing to change" in lab.hardway("install", "--ignore", "lb-config", "--ignore", "programs").out

    told = lab.hardway("reset", "--force", "--dry-run").out
    assert re.search(r"puts back +/etc/haproxy/haproxy.cfg, /etc/keepalived/keepalived.conf, haproxy.service \(enabled, active\)\n", told), told
    lab.hardway("reset", "--force", "--yes")
    for host, was in before.items():
        assert lab.sh(host, OURS).out.split("\n") == was.split("\n"), host
    assert theirs(lab, "lb-1") == "theirs"

    # once more, and nothing of it is hardway's
    assert lab.hardway("reset", "--force", "--dry-run").out.count("nothing of hardway's is there") == 3
    lab.hardway("reset", "--force", "--yes")
    assert theirs(lab, "lb-1") == "theirs" and lab.sh("lb-1", OURS).out == before["lb-1"]

    # the script by hand keeps the same
    script = lab.hardway("plan", "--script", "--node", "lb-1").out
    lab.enter("sh", "-c", "cat >/root/lb-1.sh && sh /root/lb-1.sh", host="lb-1", text_input=script)
    assert theirs(lab, "lb-1") == ""
    lab.hardway("reset", "--force", "--yes", "--node", "lb-1")
    assert theirs(lab, "lb-1") == "theirs" and lab.sh("lb-1", OURS).out == before["lb-1"]
