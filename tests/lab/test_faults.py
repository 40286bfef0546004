# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults while hardway installs real hosts: it is killed, a node loses power, a node's network is cut. The run after that ends as one that
nothing disturbed. When and where is drawn from a seed ($HARDWAY_TEST_SEED); each trial is several faults, one run after the other, of each
kind one.

What takes time is not the faults but to make the hosts fresh again and to let them come back: in the normal tier it is one trial, in the long
one there are eight. What can be had in milliseconds, every single write among it, is in tests/faults."""
import os
import random
import time

import pytest

from lab import BALANCERS, CONTROLLERS

HOSTS = [*CONTROLLERS, *BALANCERS]
N_TRIALS = 8 if os.environ.get("HARDWAY_TEST_TIER") == "long" else 1
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
