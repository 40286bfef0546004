# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults drawn by seed: no acknowledged write is lost, and the cluster becomes well by itself. The same faults each time, for five minutes; by
hand with another seed, and for longer."""
import importlib.machinery
import importlib.util
import itertools
import os
import random
import re
import subprocess

import pytest

import mishaps
from errands import Command, Install, Renew, Replace, Snapshot
from lab import CONTROLLERS, TOP, Result, await_true, run
from mishaps import HOSTS, KINDS, Delay, Expired, FullDisk, Kill, Link, Loss, NoEffect, OneWay, Power, Shifted, draw_steps, shift

SEED = 18


def course(seed, n_steps=200):
    return list(itertools.islice(draw_steps(seed), n_steps))


def load_chaos():
    loader = importlib.machinery.SourceFileLoader("chaos", os.path.join(TOP, "tests", "lab", "chaos"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("chaos", loader))
    loader.exec_module(module)
    return module


def cards(faults):
    """Without what was drawn for a command to meet."""
    return faults[:1] if isinstance(faults[0], Command) else faults


def test_every_kind_comes_before_any_comes_again():
    drawn = [type(fault) for faults, _, _ in course(SEED) for fault in cards(faults)]
    decks = [drawn[i:i + len(KINDS)] for i in range(0, len(drawn) - len(KINDS), len(KINDS))]
    assert len(decks) > 10 and all(set(deck) == set(KINDS) for deck in decks)
    assert len(set(map(tuple, decks))) == len(decks), "they are shuffled"
    for faults, _, _ in course(SEED):
        assert len(set(map(type, faults))) == len(faults)


@pytest.mark.parametrize("seed", [SEED, *range(20)])
def test_each_command_meets_a_fault(seed):
    """Of a controller, and not what haproxy alone would notice; in the first deck already."""
    met, n_cards = set(), 0
    for faults, _, _ in course(seed):
        commands = [fault for fault in faults if isinstance(fault, Command)]
        others = [fault for fault in faults if fault not in commands]
        assert len(commands) <= 1
        if commands:
            assert len(others) == 1 and set(others[0].hosts) & set(CONTROLLERS) and not isinstance(others[0], Kill), [str(fault) for fault in faults]
            met |= {type(command) for command in commands} if n_cards < len(KINDS) else set()
        n_cards += len(cards(faults))
    assert met == {Install, Renew, Replace, Snapshot}


def test_a_seed_draws_the_same_again():
    def told(seed):
        return [([str(fault) for fault in faults], *times) for faults, *times in course(seed)]
    assert told(SEED) == told(SEED) != told(SEED + 1)


# Asks for what nobody listens at: refused after a round trip, in milliseconds.
ROUND_TRIP = """
import contextlib, socket, sys, time
start = time.monotonic()
with contextlib.suppress(ConnectionRefusedError):
    socket.create_connection((sys.argv[1], 9), timeout=5)
print((time.monotonic() - start) * 1000)
"""


def test_a_delay_is_felt_and_ends(make_lab):
    """By who drives the host and by other hosts; bytes arrive as they were sent. Where the host has lost its power meanwhile, nothing is left of
    it, either."""
    fault = Delay(random.Random(1))
    [host] = fault.hosts
    lab = make_lab("delay", {host: "10.77.0.20", "other": "10.77.0.21"})

    def round_trip(host=None):
        python = ["/usr/bin/python3", "-c", ROUND_TRIP, "10.77.0.20"]
        return float(lab.enter(*python, host=host).out)

    def give(size=20 << 20):
        return lab.enter("sh", "-c", f"head -c {size} /dev/zero | ssh {host} sha256sum").out

    sent = give()
    assert round_trip() < 2 * fault.milliseconds
    fault.begin(lab)
    assert 2 * fault.milliseconds <= round_trip() < 4 * fault.milliseconds + 1000
    assert give() == sent
    fault.end(lab)
    await_true("no more delay", lambda: round_trip() < 2 * fault.milliseconds)

    fault.begin(lab)
    lab.tool("power", "cut", host)
    lab.tool("power", "on", host)
    fault.end(lab)
    await_true("no more delay", lambda: round_trip() < 2 * fault.milliseconds)
    assert "delay" not in lab.enter("ip", "-o", "link").out


def count_arriving(lab, sender, receiver, n_sent):
    """By the kernel of who gets them: nobody listens there."""
    def count():
        return int(re.search(r"^Udp: \d+ (\d+) ", lab.sh(receiver, "cat /proc/net/snmp").out, re.M)[1])
    before = count()
    lab.sh(sender, f"for _ in $(seq {n_sent}); do echo >/dev/udp/{HOSTS[receiver]}/9; done", shell="bash")
    return count() - before


def test_packets_are_lost(make_lab):
    """All of one way, or some of both; and a filter without its rules is not taken for a fault."""
    fault, draw = OneWay(random.Random(1)), random.Random(1)
    sender, receiver = fault.hosts
    loss = next(loss for loss in iter(lambda: Loss(draw), None) if loss.hosts[0] in fault.hosts and loss.percent == 40)
    lab = make_lab("loss", {host: HOSTS[host] for host in fault.hosts})

    def arriving(n_sent=300):
        return count_arriving(lab, sender, receiver, n_sent), count_arriving(lab, receiver, sender, n_sent)

    assert arriving() == (300, 300)
    fault.begin(lab)
    assert arriving() == (0, 300)
    lab.enter("nft", f"flush chain bridge {fault.table} forward")
    assert not fault.is_felt(lab) and arriving() == (300, 300)
    fault.end(lab)

    loss.begin(lab)
    assert all(100 < number < 250 for number in arriving()), "about 180 of each"
    loss.end(lab)
    assert arriving() == (300, 300)


def test_a_full_disk_keeps_nobody_out(make_lab, monkeypatch):
    """Who drives the hosts has a disk of his own, and tells one fault from another."""
    monkeypatch.setenv("HARDWAY_LAB_STATE", "")
    fault, link, delay = (kind(random.Random(1)) for kind in (FullDisk, Link, Delay))
    with load_chaos().small_disk():
        lab = make_lab("full", {host: HOSTS[host] for host in {*link.hosts, *delay.hosts}})
        fault.begin(lab)
        assert lab.enter("echo", "in").out == "in\n"
        assert not link.is_felt(lab)
        delay.begin(lab)
        delay.end(lab)
        fault.end(lab)
        lab.down()


def make_cluster_directory(program, place):
    options = [word for name, address in CONTROLLERS.items() for word in ("--controller", f"{name}={address}")]
    for words in (["init", *options, "--endpoint", "10.77.0.9"], ["pki", "gen"]):
        done = run([program, *words], cwd=place)
        assert done.status == 0, done


class Idle:
    """A lab whose tools all say the same, and do nothing: its hosts are on, and there."""
    name = "idle"

    def __init__(self, directory, status):
        self.directory, self.status = str(directory), status

    def enter(self, *argv, check=True, **_):
        if argv[0] == "echo":
            return Result(argv, 0, "on\n", "", 0)
        if "connect" in " ".join(argv):
            return Result(argv, 0, "reached\n", "", 0)
        assert not check or self.status == 0
        return Result(argv, self.status, "", "", 0)

    def sh(self, host, script, check=True):
        return self.enter("sh", script, host=host, check=check)

    def tool(self, *argv, check=True):
        return self.enter(*argv, check=check)


@pytest.mark.parametrize("status", [0, 1])
def test_a_fault_that_nothing_comes_of_is_none(program, tmp_path, monkeypatch, status):
    make_cluster_directory(program, tmp_path)
    monkeypatch.setenv("HARDWAY_LAB_STATE", str(tmp_path))
    monkeypatch.setattr(mishaps, "UP_SECONDS", 0)
    lab = Idle(tmp_path, status)
    for kind in KINDS:
        if not issubclass(kind, Command):
            with pytest.raises(NoEffect if status == 0 else AssertionError):
                kind(random.Random(1)).begin(lab)


def test_a_fault_has_to_have_an_effect_but_beside_another(tmp_path):
    chaos, lab, fault, cut, command = load_chaos(), Idle(tmp_path, 0), *(kind(random.Random(1)) for kind in (Link, Power, Replace))
    fault.hosts = cut.hosts = ["controller-0"]
    chaos.begin_fault(lab, fault, [cut], [])
    command.hosts, cut.hosts = ["controller-0"], ["controller-1"]
    with pytest.raises(NoEffect):
        chaos.begin_fault(lab, fault, [cut], [command])


@pytest.mark.parametrize("seen", [{"failures": []}, {"writes": 40}, {"lost": ["k1"]}, {"backwards": [1]}])
def test_a_calm_run_is_none(seen):
    """Nor one in which hardly anything was written; and what is lost is seen."""
    with pytest.raises(AssertionError):
        load_chaos().judge(None, {"asked": 1000, "writes": 400, "reads": 400, "failures": [{}], "lost": [], "backwards": [], **seen})


@pytest.mark.parametrize("kind", [Shifted, Expired])
def test_a_certificate_out_of_time_is_but_that(program, tmp_path, kind):
    """It is the same but for its dates."""
    fault = kind(random.Random(1))
    make_cluster_directory(program, tmp_path)

    class Place:
        directory = str(tmp_path)

    pem = shift(Place, fault.source, fault.ca, fault.HOURS)
    (tmp_path / "crt").write_text(pem, encoding="ascii")

    def verify(*options):
        return run(["openssl", "verify", *options, "-CAfile", f"pki/{fault.ca}.crt", "crt"], cwd=tmp_path)

    assert {Shifted: "not yet valid", Expired: "has expired"}[kind] in verify().err
    assert verify("-no_check_time").status == 0

    def told(name):
        return run(["openssl", "x509", "-noout", "-subject", "-pubkey", "-ext", "subjectAltName,extendedKeyUsage", "-in", name], cwd=tmp_path).out

    assert told("crt") == told(f"{fault.source}.crt")


@pytest.mark.usefixtures("mirror")
def test_chaos(program):
    argv = [os.path.join(TOP, "tests", "lab", "chaos"), "--seed", str(SEED), "--minutes", "5"]
    done = subprocess.run(argv, env={**os.environ, "HARDWAY": program}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout
