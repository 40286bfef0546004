# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the benchmarks share: a lab of fresh hosts, a cluster directory, commands timed from within the lab, and figures printed as
minimum, median and maximum."""
import os
import statistics
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), ".."))
sys.path.insert(0, os.path.join(TOP, "tests", "lab"))

from lab import BALANCERS, CONTROLLERS, Lab, edit  # noqa: E402, F401

NODES = {**CONTROLLERS, **BALANCERS}


def program():
    path = os.environ.get("HARDWAY") or os.path.join(TOP, "build", "hardway")
    if not os.access(path, os.X_OK):
        sys.exit(f"bench: {path} is not there: build it (meson setup build --buildtype=release && meson compile -C build) or set HARDWAY")
    return os.path.realpath(path)


def mirror():
    argv = [os.path.join(TOP, "lab", "mirror", "get"), "--arch", "amd64"]
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def new_lab(name, image="preinstalled"):
    """Five fresh hosts. HARDWAY_TEST_LAB stands in front of the name, as for tests."""
    lab = Lab(os.environ.get("HARDWAY_TEST_LAB", "") + name, tempfile.mkdtemp(prefix="hardway-bench-"), program())
    source = mirror()
    if source:
        lab.env["HARDWAY_MIRROR"] = source
    lab.down()
    lab.up(NODES, image)
    return lab


def timed(lab, *argv):
    """Runs argv in the lab's network: {"seconds", "answered", "peak"}; see clock.py. The peak is in MiB."""
    output = os.path.join(lab.directory, "bench.output")
    result = lab.enter("/usr/bin/python3", os.path.join(TOP, "bench", "clock.py"), output, *argv).json
    if result["status"] != 0 or ("--until" in argv and result["answered"] is None):
        with open(output, encoding="utf-8", errors="replace") as file:
            sys.exit(f"bench: {' '.join(argv)}: status {result['status']}, answered after {result['answered']}\n{file.read()}")
    return result | {"peak": result["peak"] / 1024}


def figures(name, values, unit="s"):
    print(f"{name:<52} min {min(values):7.3f}  median {statistics.median(values):7.3f}  max {max(values):7.3f} {unit}", flush=True)
    return statistics.median(values)


def runs(default):
    return int(sys.argv[1]) if len(sys.argv) > 1 else default
