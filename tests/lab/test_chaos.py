# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults drawn by seed: no acknowledged write is lost, and the cluster becomes well by itself. The same faults each time, for five minutes; by
hand with another seed, and for longer."""
import itertools
import os
import subprocess

import pytest

from lab import TOP
from mishaps import KINDS, draw_steps

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


@pytest.mark.usefixtures("mirror")
def test_chaos(program):
    argv = [os.path.join(TOP, "tests", "lab", "chaos"), "--seed", str(SEED), "--minutes", "5"]
    done = subprocess.run(argv, env={**os.environ, "HARDWAY": program}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout
