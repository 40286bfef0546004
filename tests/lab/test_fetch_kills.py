# SPDX-License-Identifier: LGPL-2.1-or-later
"""A hundred kills of a download of the real set: the next run completes, and hardly a byte has come twice. (A sample of it, with small
files, is in tests/cli/test_fetch_resume.py.) What has come is counted where it is sent: no faster than it is read, so that nothing piles up."""
import contextlib
import hashlib
import os
import pathlib
import random
import subprocess
import sys

import pytest

from lab import CONTROLLERS, BALANCERS, TOP, VIP

sys.path.insert(0, os.path.join(TOP, "tests", "cli"))
from mirror import Mirror  # noqa: E402

pytestmark = pytest.mark.long

KILLS = 100
RATE = 2_000_000  # of each file: the whole takes longer than all of the killed runs together
MIB = 1 << 20


@pytest.fixture(name="served")
def served_fixture(mirror, tmp_path):
    if not mirror.startswith("file://"):
        pytest.skip("needs a mirror that is a directory")
    served = Mirror.of(tmp_path, pathlib.Path(mirror.removeprefix("file://")))
    yield served
    served.stop()


def test_a_hundred_kills(program, served, tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    nodes = [word for kind, hosts in (("--controller", CONTROLLERS), ("--loadbalancer", BALANCERS))
             for name, address in hosts.items() for word in (kind, f"{name}={address}")]
    subprocess.run([program, "init", *nodes, "--vip", VIP, "--arch", "amd64"], cwd=tmp_path, env=environment, check=True)
    fetch = [program, "fetch", *served.options(f"/rate:{RATE}")]
    moments = random.Random(1)
    killed = 0
    for _ in range(KILLS):
        with subprocess.Popen(fetch, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=moments.uniform(0.05, 0.7))
            process.kill()
        killed += process.returncode == -9
        for path in (tmp_path / "cache" / "hardway" / "sha256").glob("*/*"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert killed > KILLS // 2
    subprocess.run([program, "fetch", *served.options("/rate:50000000")], cwd=tmp_path, env=environment, check=True, stdout=subprocess.DEVNULL)
    whole = sum(path.stat().st_size for pattern in ("release/v1.36.3/bin/linux/amd64/k*", "etcd/v3.6.16/*amd64.tar.gz")
                for path in served.root.glob(pattern) if path.suffix != ".sha256")
    sent = sum(entry["sent"] for entry in served.sent())
    print(f"{killed} kills, {sent} bytes sent, {whole} in all: {(sent - whole) / killed / MIB:.3f} MiB more for each kill")
    assert sent - whole <= killed * MIB
