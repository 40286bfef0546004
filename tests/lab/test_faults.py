# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults while hardway installs real hosts, and while it changes a cluster that serves: it is killed, a node loses power, a node's network is
cut. The run after that ends as one that nothing disturbed, and a cluster that served goes on: so it is compared after each. Kinds, hosts and
moments are drawn from a seed ($HARDWAY_TEST_SEED), for each trial by itself: one that has failed replays alone.

A dozen trials in the normal tier. What can be had in milliseconds, every single write among it, is in tests/faults."""
import concurrent.futures
import contextlib
import os
import pathlib
import random
import subprocess
import time

import pytest

from lab import BALANCERS, CONTROLLERS, await_true

HOSTS = [*CONTROLLERS, *BALANCERS]
LONG = os.environ.get("HARDWAY_TEST_TIER") == "long"
N_INSTALLATIONS, N_CHANGES, N_OUTAGES = (8, 16, 4) if LONG else (4, 7, 1)
N_IN_A_ROW = 3 if LONG else 1  # faults of an installation before it may end
SEED = int(os.environ.get("HARDWAY_TEST_SEED", "1"))
KINDS = ["kill", "power", "link"]
# What one lost node takes: the VIP moves, an election, connections that are given up. It would be more if hardway stopped another one meanwhile.
OUTAGE_SECONDS, SERVES_SECONDS = 25, 15
# On the controllers, and quickly done; on the load balancers something is to be mended meanwhile
SMALL_CHANGE = [("\nnodes:", """
extra-args:
  kube-controller-manager: { v: 1 }
  kube-scheduler: { v: 1 }
nodes:""")]
DAMAGE = "echo '# by hand' >>/etc/haproxy/haproxy.cfg; chmod o-r /etc/keepalived/keepalived.conf"
# On all nodes, and of all that runs there
GREAT_CHANGE = [("network: wired", "network: wifi"), ("\nnodes:", """
extra-args:
  etcd: { snapshot-count: 9000 }
  kube-apiserver: { audit-log-maxage: 31 }
nodes:""")]

# What was installed: mode, owner and content of each path, applied.json by its digests, what runs, and with what inputs; what a killed run could
# leave where no path of a plan is: masks and drop-ins in /run, links, users, packages, and the lists by which a reset knows what is hardway's
LOOK = r"""
cd /
for path in $(cat var/lib/hardway/applied.paths); do
        stat -c '%n %A %U:%G' "$path"
        if [ -h "$path" ]; then readlink "$path"; else b2sum "$path"; fi
done
sed 's/"stamp": *"[^"]*"//' var/lib/hardway/applied.json
[ ! -d var/lib/hardway/before ] || find var/lib/hardway/before -type f | sort | xargs b2sum
for unit in etcd kube-apiserver kube-controller-manager kube-scheduler hardway-watch.timer haproxy keepalived; do
        systemctl show -p Id,ActiveState,UnitFileState,NeedDaemonReload "$unit"
        pid=$(systemctl show -p MainPID --value "$unit")
        [ "${pid:-0}" = 0 ] || tr '\0' '\n' <"/proc/$pid/environ" | grep '^HARDWAY_INPUTS=' || :
done
find / -xdev -name '*.hw-new' -o -xdev -path '*/var/lib/hardway/staged'
find etc/systemd/system run/systemd/system run/hardway/haproxy.aside -printf '%p %M %u:%g %l\n' 2>/dev/null | sort
getent passwd | cut -d : -f 1,5- | sort
dpkg-query -W -f '${Package} ${db:Status-Status}\n'
for list in users packages packages.needed directories taken; do
        [ ! -e "var/lib/hardway/$list" ] || b2sum "var/lib/hardway/$list"
done
"""


def picture(lab):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return dict(zip(HOSTS, pool.map(lambda host: lab.sh(host, LOOK).out.splitlines(), HOSTS)))


def differences(found, wanted):
    """By host, the lines that only one of the pictures has."""
    return {host: sorted(set(found[host]) ^ set(wanted[host])) for host in HOSTS if found[host] != wanted[host]}


class Trial:
    """Faults of its own seed, and what they were."""

    def __init__(self, lab, name, number, seconds):
        self.lab, self.seconds = lab, seconds
        self.chance = random.Random(f"{SEED} {name} {number}")
        self.told = [f"HARDWAY_TEST_SEED={SEED}, {name} {number}"]

    def run_into(self, kind):
        """A run that meets a fault, after which all is there again."""
        host, moment = self.chance.choice(HOSTS), self.chance.uniform(0.02, 0.9) * self.seconds
        self.told.append(f"{kind}{'' if kind == 'kill' else ' ' + host} after {moment:.1f} s")
        process = self.lab.start("install", "--wait")
        time.sleep(moment)  # the fault's moment, not a wait for anything
        getattr(self, kind)(process, host)
        # a host whose cable is plugged in again has to get its address first
        await_true(f"{host} is back", lambda: self.lab.enter("ssh", host, "true", check=False).status == 0)
        self.told[-1] += f": the run ends with {process.returncode}"

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
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=OUTAGE_SECONDS)
        self.lab.tool("power", "on", host)
        process.wait(timeout=600)

    def link(self, process, host):
        """Shorter than what a connection bears, or until hardway has given the node up."""
        self.lab.tool("link", self.chance.choice(["down", "mute"]), host)
        if self.chance.random() < 0.7:
            time.sleep(self.chance.uniform(0.5, 3))  # so long it is cut
            self.lab.tool("link", "up", host)
            process.wait(timeout=600)
        else:
            process.wait(timeout=600)
            self.lab.tool("link", "up", host)

    def judge(self, wanted):
        """The run that nothing disturbs any more ends as one that nothing ever did."""
        different = differences(converged(self.lab), wanted)
        print(self.told)
        assert not different, f"{self.told}\n{different}"


def dealt(name, n_trials):
    """What kind of fault each trial begins with: all of them before any comes again."""
    chance, kinds = random.Random(f"{SEED} {name}"), []
    while len(kinds) < n_trials:
        kinds += chance.sample(KINDS, len(KINDS))
    return [pytest.param(number, kind, id=f"{number}-{kind}") for number, kind in enumerate(kinds[:n_trials])]


def converged(lab):
    """The run that nothing disturbs any more. A node that was switched on again may still be on its way into the cluster."""
    result = lab.hardway("install", "--wait")
    assert "nothing to change" in lab.hardway("install").out, result
    end = time.monotonic() + 120
    while (verified := lab.hardway("verify", check=False)).status != 0:
        assert time.monotonic() < end, verified
    return picture(lab)


def configure(lab, changes):
    text = lab.as_installed
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (pathlib.Path(lab.directory) / "hardway.yaml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module", name="lab")
def lab_fixture(make_shared_lab):
    """Hosts, a cluster directory, and how the hosts look after an installation that nothing disturbs."""
    lab = make_shared_lab("faults")
    lab.init()
    lab.as_installed = lab.read("hardway.yaml")
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    lab.install_seconds = lab.hardway("install").seconds
    lab.installed = converged(lab)
    return lab


def test_comparison_sees_what_differs(lab):
    """One thing on each of four hosts, and nothing on the fifth."""
    ways = {"controller-0": ("cp -a {0} /root/kept; printf x >>{0}", "cp -a /root/kept {0}; rm /root/kept", "/opt/hardway/etcd-v3.6.16/etcdutl"),
            "controller-1": ("chmod o+r {0}", "chmod o-r {0}", "/etc/kubernetes/pki/apiserver.key"),
            "controller-2": ("chown etcd {0}", "chown root {0}", "/etc/kubernetes/audit-policy.yaml"),
            "lb-0": ("touch {0}", "rm {0}", "/etc/haproxy/haproxy.cfg.hw-new")}
    for host, (do, _, path) in ways.items():
        lab.sh(host, do.format(path))
    found = differences(picture(lab), lab.installed)
    for host, (_, undo, path) in ways.items():
        lab.sh(host, undo.format(path))
    assert set(found) == set(ways) and {host: len(lines) for host, lines in found.items()} == {**dict.fromkeys(ways, 2), "lb-0": 1}, found
    assert not differences(picture(lab), lab.installed)


@pytest.mark.parametrize("number, kind", dealt("installation", N_INSTALLATIONS))
def test_installation(lab, number, kind):
    """Of fresh hosts."""
    configure(lab, [])
    lab.down()
    lab.up(image="preinstalled")
    trial = Trial(lab, "installation", number, lab.install_seconds)
    for one in [kind, *trial.chance.sample(KINDS, len(KINDS))][:N_IN_A_ROW]:
        trial.run_into(one)
    trial.judge(lab.installed)


@contextlib.contextmanager
def served(lab, trial):
    """A client is served all the time."""
    with lab.client() as seen:
        yield
    assert seen["gap"] < SERVES_SECONDS and seen["write_gap"] < SERVES_SECONDS and not seen["lost"], f"{trial.told}\n{seen}"


@pytest.fixture(scope="module", name="changed")
def changed_fixture(lab):
    """How the hosts look after a change that nothing disturbs, and how long that takes."""
    configure(lab, [])
    lab.hardway("install", "--wait")
    configure(lab, SMALL_CHANGE)
    lab.change_seconds = lab.hardway("install").seconds
    return converged(lab)


@pytest.mark.parametrize("number, kind", dealt("change", N_CHANGES))
def test_change(lab, changed, number, kind):
    """There and back again."""
    (before, _), (after, wanted) = ((SMALL_CHANGE, changed), ([], lab.installed))[::1 if number % 2 == 0 else -1]
    configure(lab, before)
    lab.hardway("install", "--wait")  # if this is the first trial, or the one before has failed
    configure(lab, after)
    for host in BALANCERS:
        lab.sh(host, DAMAGE)
    trial = Trial(lab, "change", number, lab.change_seconds)
    with served(lab, trial):
        trial.run_into(kind)
        trial.judge(wanted)


@pytest.mark.parametrize("number", range(N_OUTAGES))
def test_change_of_all_that_runs(lab, number):
    """All nodes get other flags and timings, and their old ones again: the first of these runs is killed, a node is lost in the second."""
    trial = Trial(lab, "outage", number, lab.install_seconds)
    configure(lab, [])
    lab.hardway("install", "--wait")  # if the trial before this one has failed
    with served(lab, trial):
        configure(lab, GREAT_CHANGE)
        trial.run_into("kill")
        configure(lab, [])
        trial.run_into("outage")
        trial.judge(lab.installed)
