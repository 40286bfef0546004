# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults drawn by seed: no acknowledged write is lost, and the cluster becomes well by itself. The same faults each time, in the long tier for five
minutes; by hand with another seed, and for longer."""
import os
import subprocess

import pytest

from lab import TOP

LONG = os.environ.get("HARDWAY_TEST_TIER") == "long"


@pytest.mark.usefixtures("mirror")
def test_chaos(program):
    argv = [os.path.join(TOP, "tests", "lab", "chaos"), "--seed", "18", "--minutes", "5" if LONG else "1.5"]
    done = subprocess.run(argv, env={**os.environ, "HARDWAY": program}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout
