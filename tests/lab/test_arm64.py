# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same job with three arm64 controllers under emulation, driven from here; the load balancers are this machine's architecture."""
import os

from lab import BALANCERS, CONTROLLERS, TOP, edit, run, whole_job


def test_arm64(make_lab):
    result = run([os.path.join(TOP, "lab", "mirror", "get"), "--arch", "amd64", "--arch", "arm64"], timeout=3600)
    assert result.status == 0, result
    hosts = {name: f"{address}:arm64" for name, address in CONTROLLERS.items()} | BALANCERS
    lab = make_lab("arm64", hosts, image=None)
    if result.out.strip():
        lab.env["HARDWAY_MIRROR"] = result.out.strip()
    # An emulated processor is slow, and six of them share this one: timings as for the smallest of boards. An apiserver whose first
    # minute is too busy ends by itself, and is started again.
    lab.init("--network-profile", "wifi", "--disk-profile", "sdcard")
    edit(lab, r"^arch: amd64", "arch: arm64")
    edit(lab, r"roles: \[loadbalancer\]", "roles: [loadbalancer], arch: amd64")
    whole_job(lab)
    assert lab.version(timeout=10)["platform"] == "linux/arm64"
