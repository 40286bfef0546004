# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the benchmarks share: a lab of fresh hosts, a cluster directory, and figures printed as minimum, median and maximum."""
import os
import statistics
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), ".."))
sys.path.insert(0, os.path.join(TOP, "tests", "lab"))

from lab import BALANCERS, CONTROLLERS, Lab  # noqa: E402

NODES = {**CONTROLLERS, **BALANCERS}


def program():
    path = os.environ.get("HARDWAY") or os.path.join(TOP, "build", "hardway")
    if not os.access(path, os.X_OK):
        sys.exit(f"bench: {path} is not there: build it (meson setup build --buildtype=release && meson compile -C build) or set HARDWAY")
    return os.path.realpath(path)


def mirror():
    return subprocess.run([os.path.join(TOP, "lab", "mirror", "get"), "--arch", "amd64"], check=True, capture_output=True, text=True).stdout.strip()


def new_lab(name, image="preinstalled"):
    lab = Lab(name, tempfile.mkdtemp(prefix="hardway-bench-"), program())
    source = mirror()
    if source:
        lab.env["HARDWAY_MIRROR"] = source
    lab.down()
    lab.up(NODES, image)
    return lab


def figures(name, values, unit="s"):
    print(f"{name:<44} min {min(values):8.3f}  median {statistics.median(values):8.3f}  max {max(values):8.3f} {unit}")
    return statistics.median(values)


def runs(default):
    return int(sys.argv[1]) if len(sys.argv) > 1 else default
