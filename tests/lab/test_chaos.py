# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults drawn by seed: no acknowledged write is lost, and the cluster becomes well by itself. The same faults each time, for five minutes; by
hand with another seed, and for longer."""
import itertools
import os
import random
import subprocess

import pytest

from lab import CONTROLLERS, TOP, await_true, run
from mishaps import KINDS, Delay, Expired, Shifted, draw_steps, shift

SEED = 18


def course(seed, n_steps=200):
    return list(itertools.islice(draw_steps(seed), n_steps))


def test_every_kind_comes_before_any_comes_again():
    drawn = [type(fault) for faults, _, _ in course(SEED) for fault in faults]
    decks = [drawn[i:i + len(KINDS)] for i in range(0, len(drawn) - len(KINDS), len(KINDS))]
    assert len(decks) > 10 and all(set(deck) == set(KINDS) for deck in decks)
    assert len(set(map(tuple, decks))) == len(decks), "they are shuffled"
    for faults, _, _ in course(SEED):
        assert len(set(map(type, faults))) == len(faults)


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
    lab = make_lab("delay", {fault.host: "10.77.0.20", "other": "10.77.0.21"})

    def round_trip(host=None):
        python = ["/usr/bin/python3", "-c", ROUND_TRIP, "10.77.0.20"]
        return float(lab.enter(*python, host=host).out)

    def give(size=20 << 20):
        return lab.enter("sh", "-c", f"head -c {size} /dev/zero | ssh {fault.host} sha256sum").out

    sent = give()
    assert round_trip() < 2 * fault.milliseconds
    fault.begin(lab)
    assert 2 * fault.milliseconds <= round_trip() < 4 * fault.milliseconds + 1000
    assert give() == sent
    fault.end(lab)
    await_true("no more delay", lambda: round_trip() < 2 * fault.milliseconds)

    fault.begin(lab)
    lab.tool("power", "cut", fault.host)
    lab.tool("power", "on", fault.host)
    fault.end(lab)
    await_true("no more delay", lambda: round_trip() < 2 * fault.milliseconds)
    assert "delay" not in lab.enter("ip", "-o", "link").out


@pytest.mark.parametrize("kind", [Shifted, Expired])
def test_a_certificate_out_of_time_is_but_that(program, tmp_path, kind):
    """It is the same but for its dates."""
    fault = kind(random.Random(1))
    options = [word for name, address in CONTROLLERS.items() for word in ("--controller", f"{name}={address}")]
    for words in (["init", *options, "--endpoint", "10.77.0.9"], ["pki", "gen"]):
        done = run([program, *words], cwd=tmp_path)
        assert done.status == 0, done

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
