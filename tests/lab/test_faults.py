# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults while hardway installs real hosts, and while it changes a cluster that serves: it is killed, a node loses power, a node's network is
cut. The run after that ends as one that nothing disturbed, and a cluster that served goes on. When and where is drawn from a seed
($HARDWAY_TEST_SEED); each trial is several faults, one run after the other, of each kind one.

What takes time is not the faults but to make the hosts fresh again and to let them come back: in the normal tier it is one trial, in the long
one there are eight. What can be had in milliseconds, every single write among it, is in tests/faults."""
import os
import pathlib
import random
import subprocess
import time

import pytest

from lab import BALANCERS, CONTROLLERS, await_true

HOSTS = [*CONTROLLERS, *BALANCERS]
N_TRIALS = 8 if os.environ.get("HARDWAY_TEST_TIER") == "long" else 1
# What one lost node takes: the VIP moves, an election, connections that are given up. It would be more if hardway stopped another one meanwhile.
OUTAGE_SECONDS, SERVES_SECONDS = 25, 15
# On the controllers
CHANGE = """
extra-args:
  etcd: { snapshot-count: 9000 }
  kube-apiserver: { audit-log-maxage: 31 }
"""
SEED = int(os.environ.get("HARDWAY_TEST_SEED", "1"))

# What was installed: mode, owner and content of each path, applied.json by its digests, what runs, and with what inputs
LOOK = r"""
cd /
for path in $(cat var/lib/hardway/applied.paths); do
        stat -c '%n %A %U:%G' "$path"
        if [ -h "$path" ]; then readlink "$path"; else sha256sum "$path"; fi
done
sed 's/"stamp": *"[^"]*"//' var/lib/hardway/applied.json
for unit in etcd kube-apiserver kube-controller-manager kube-scheduler hardway-watch.timer haproxy keepalived; do
        systemctl show -p Id,ActiveState,UnitFileState,NeedDaemonReload "$unit"
        pid=$(systemctl show -p MainPID --value "$unit")
        [ "${pid:-0}" = 0 ] || tr '\0' '\n' <"/proc/$pid/environ" | grep '^HARDWAY_INPUTS=' || :
done
find / -xdev -name '*.hw-new' -o -xdev -path '*/var/lib/hardway/staged'
"""


def picture(lab):
    return {host: lab.sh(host, LOOK).out for host in HOSTS}


class Faults:
    def __init__(self, lab, seed, seconds):
        self.lab, self.chance, self.seconds, self.told = lab, random.Random(seed), seconds, []

    def run_into(self, kind):
        """A run that meets a fault, after which all is there again. Which fault it was says told."""
        host, moment = self.chance.choice(HOSTS), self.chance.uniform(0.2, self.seconds)
        self.told.append(f"{kind} {host if kind != 'kill' else ''} after {moment:.1f} s")
        process = self.lab.start("install", "--wait")
        time.sleep(moment)  # the fault's moment, not a wait for anything
        getattr(self, kind)(process, host)

    @staticmethod
    def kill(process, _):
        process.kill()
        process.wait()

    def power(self, process, host):
        self.lab.tool("power", "cut", host)
        self.lab.tool("power", "on", host)
        process.wait(timeout=600)

    def outage(self, process, host):
        """Off until hardway has given the node up, or for so long that nobody can have waited for it."""
        self.lab.tool("power", "cut", host)
        try:
            process.wait(timeout=OUTAGE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        self.lab.tool("power", "on", host)
        process.wait(timeout=600)
        await_true(f"{host} is back", lambda: self.lab.enter("ssh", host, "true", check=False).status == 0)

    def link(self, process, host):
        """Shorter than what a connection bears, or until hardway has given the node up."""
        self.lab.tool("link", "down", host)
        if self.chance.random() < 0.7:
            time.sleep(self.chance.uniform(0.5, 3))  # so long it is cut
            self.lab.tool("link", "up", host)
            process.wait(timeout=600)
        else:
            process.wait(timeout=600)
            self.lab.tool("link", "up", host)

    def trial(self):
        kinds = ["kill", "power", "link"]
        self.chance.shuffle(kinds)
        for kind in kinds:
            self.run_into(kind)


def converged(lab):
    """The run that nothing disturbs any more. A node that was switched on again may still be on its way into the cluster."""
    result = lab.hardway("install", "--wait")
    assert "nothing to change" in lab.hardway("install").out, result
    end = time.monotonic() + 120
    while (verified := lab.hardway("verify", check=False)).status != 0:
        assert time.monotonic() < end, verified
    return picture(lab)


@pytest.fixture(scope="module", name="lab")
def lab_fixture(make_shared_lab):
    """Hosts, a cluster directory, and how the hosts look after an installation that nothing disturbs."""
    lab = make_shared_lab("faults", image="preinstalled")
    lab.init()
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    lab.install_seconds = lab.hardway("install").seconds
    lab.installed = converged(lab)
    return lab


@pytest.mark.parametrize("number", range(N_TRIALS))
def test_installation(lab, number):
    lab.hardway("reset", "--yes", "--force")
    faults = Faults(lab, f"{SEED} install {number}", lab.install_seconds)
    faults.trial()
    found = converged(lab)
    for host in HOSTS:
        assert found[host] == lab.installed[host], faults.told


@pytest.mark.parametrize("number", range(N_TRIALS))
def test_change_of_a_cluster_that_serves(lab, number):
    """All nodes get other flags and timings, and their old ones again: the first of these runs is killed, a node is lost in the second."""
    faults = Faults(lab, f"{SEED} change {number}", lab.install_seconds)
    path, was = pathlib.Path(lab.directory) / "hardway.yaml", lab.read("hardway.yaml")
    with lab.client() as seen:
        path.write_text(was.replace("network: wired", "network: wifi") + CHANGE, encoding="utf-8")
        faults.run_into("kill")
        path.write_text(was, encoding="utf-8")
        faults.run_into("outage")
        found = converged(lab)
    told = f"{faults.told}\n{seen}"
    assert seen["gap"] < SERVES_SECONDS and seen["write_gap"] < SERVES_SECONDS and not seen["lost"], told
    for host in HOSTS:
        assert found[host] == lab.installed[host], told
