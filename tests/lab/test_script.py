# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway plan --script: run by hand on fresh nodes it gives the same nodes as hardway install, file by file."""
import os

import pytest

from lab import BALANCERS, CONTROLLERS, await_true

NODES = {**CONTROLLERS, **BALANCERS}
BINARIES = ["etcd", "etcdctl", "etcdutl", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"]

# For the host that downloads: hosts have neither curl nor wget, and nothing to connect to. The last argument is the address.
# That the real ones are called rightly is for tests/cli/test_script.py.
CURL = """#!/bin/sh
while [ $# -gt 1 ]; do
        [ "$1" = --output ] && out=$2
        shift
done
cp "${1#file://}" "$out"
"""

# Everything that is of the cluster, and nothing that only tells of who did it when.
INVENTORY = r"""
cd /
for d in etc/kubernetes etc/haproxy etc/keepalived etc/systemd/system etc/sysctl.d etc/tmpfiles.d opt/hardway usr/local/bin; do
        [ ! -d $d ] || find $d -printf '%p %y %m %u:%g %l\n'
done | sort
find etc/kubernetes etc/haproxy etc/keepalived etc/systemd/system/*.service etc/systemd/system/*.d opt/hardway \
        var/lib/hardway/etcd-identity -type f 2>/dev/null | sort | xargs sha256sum
stat -c '%n %a %U:%G' var/lib/etcd var/lib/hardway var/log/kubernetes 2>/dev/null || :
getent passwd | cut -d : -f 1,5- | grep -e hardway -e keepalived -e haproxy | sort
systemctl is-enabled etcd kube-apiserver kube-controller-manager kube-scheduler haproxy keepalived 2>/dev/null || :
dpkg-query -W -f '${Package} ${db:Status-Status}\n' haproxy keepalived 2>/dev/null || :
"""


def inventory(lab):
    return {host: lab.sh(host, INVENTORY).out for host in NODES}


def send(lab, host, sources, target):
    """Copies files as the user pi, as a person would."""
    lab.enter("ssh", host, f"mkdir -p {target}")
    lab.enter("scp", "-q", "-r", *sources, f"{host}:{target}")


def prepare(lab, host, mirror, shell="sh"):
    """Sends the script and what goes with it; returns the command line."""
    script = lab.hardway("plan", "--script", "--node", host).out
    with open(os.path.join(lab.directory, f"{host}.sh"), "w", encoding="utf-8") as file:
        file.write(script)
    send(lab, host, [f"{host}.sh"], "/home/pi/by-hand")
    if host in BALANCERS:
        return f"{shell} /home/pi/by-hand/{host}.sh"
    send(lab, host, [f"out/{host}/etc"], "/home/pi/by-hand/secrets")
    options = "--secrets /home/pi/by-hand/secrets "
    if host == "controller-1" and mirror.startswith("file://"):
        send(lab, host, [mirror[len("file://"):] + "/release", mirror[len("file://"):] + "/etcd"], "/home/pi/by-hand/mirror")
        lab.enter("sh", "-c", "cat >/usr/bin/curl && chmod 0755 /usr/bin/curl", host=host, text_input=CURL)
        return f"{shell} /home/pi/by-hand/{host}.sh {options} --mirror file:///home/pi/by-hand/mirror"
    send(lab, host, [os.path.realpath(link) for link in links(lab)], "/home/pi/by-hand/binaries")
    return f"{shell} /home/pi/by-hand/{host}.sh {options} --binaries /home/pi/by-hand/binaries"


def links(lab):
    """The binaries under their own names."""
    folder = os.path.join(lab.directory, "binaries")
    os.makedirs(folder, exist_ok=True)
    for name in BINARIES:
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            os.link(lab.binary(name), path) if same_device(lab.binary(name), folder) else copy(lab.binary(name), path)
    return [os.path.join(folder, name) for name in BINARIES]


def same_device(a, b):
    return os.stat(a).st_dev == os.stat(b).st_dev


def copy(source, target):
    with open(source, "rb") as inside, open(target, "wb") as outside:
        while piece := inside.read(1 << 20):
            outside.write(piece)


@pytest.mark.long
def test_script_and_install_give_the_same_nodes(make_lab, mirror):
    lab = make_lab("script", image="bookworm")
    lab.init()
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    lab.hardway("plan", "--output", "out", "--secrets")

    commands = {host: prepare(lab, host, mirror) for host in NODES}
    # without what it would download with it says so before anything is made, and without the secrets before anything is started
    script = "sh /home/pi/by-hand/controller-0.sh"
    refused = lab.sh("controller-0", f"{script} --secrets /home/pi/by-hand/secrets; rc=$?; ls -d /etc/kubernetes; exit $rc", check=False)
    assert refused.status == 1 and "curl or wget" in refused.err and refused.out == "", refused
    refused = lab.sh("controller-0", f"{script} --binaries /home/pi/by-hand/binaries", check=False)
    assert refused.status == 1 and "--secrets" in refused.err, refused
    for host, command in commands.items():
        lab.sh(host, command, timeout=600)
    await_true("the VIP answers", lab.version, 120)

    # the node is as planned, by hardway's own eyes
    await_true("nothing differs", lambda: lab.hardway("plan", "--deep", "--detailed-exitcode", check=False).status == 0, 60)
    by_hand = inventory(lab)

    # run again, by another shell, it does nothing
    with_busybox(lab)
    before = {host: lab.pids(host, units(host)) for host in NODES}
    for host, command in commands.items():
        out = lab.sh(host, command.replace("sh /", "busybox sh /", 1)).out
        assert out.splitlines() == [f"{host} is as planned. What waits for other nodes starts when they are there: systemctl list-jobs"]
    assert {host: lab.pids(host, units(host)) for host in NODES} == before

    # it mends what was edited, and reloads what can be
    lab.sh("lb-0", "echo '# edited' >>/etc/haproxy/haproxy.cfg; systemctl reload haproxy")
    out = lab.sh("lb-0", commands["lb-0"]).out
    assert "wrote /etc/haproxy/haproxy.cfg" in out and "reloaded haproxy.service" in out
    assert lab.pids("lb-0", ["haproxy"]) == before["lb-0"][:1]

    # whoever takes hardway off by mistake is not told that nothing is there: it serves as any other does
    refused = lab.hardway("reset", "--yes", check=False)
    assert refused.status != 0 and "cannot do without" in refused.err
    assert {host: lab.pids(host, units(host)) for host in NODES} == before

    # hardway takes over what was done by hand, without touching a process
    lab.hardway("install")
    assert {host: lab.pids(host, units(host)) for host in NODES} == before
    lab.verify()

    lab.hardway("reset", "--force", "--yes")
    lab.hardway("install")
    lab.verify()
    installed = inventory(lab)
    for host in NODES:
        assert by_hand[host] == installed[host], host


def units(host):
    return ["haproxy", "keepalived"] if host in BALANCERS else ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]


def with_busybox(lab):
    """The driving machine's own, if it is a static one that runs there."""
    for host in NODES:
        send(lab, host, ["/usr/bin/busybox"], "/home/pi/by-hand")
        lab.sh(host, "install -m 0755 /home/pi/by-hand/busybox /usr/bin/busybox")
