# SPDX-License-Identifier: LGPL-2.1-or-later
"""All certificates of a cluster expire while it runs, as they do where nobody has renewed them for a year."""
import base64
import glob
import os
import re
import time

import pytest

from lab import CONTROLLERS, await_true
from mishaps import shift

pytestmark = pytest.mark.long

LIFE_SECONDS = 400  # the installation that brings them has to be over by then


def authority(path):
    if "/etcd/" in path or "apiserver-etcd-client" in path:
        return "etcd/ca"
    return "front-proxy-ca" if "front-proxy" in path else "ca"


def shorten_kubeconfig(lab, text, hours):
    old = {}
    for part, end in (("certificate", "crt"), ("key", "key")):
        old[part] = re.search(rf'"?client-{part}-data"?: "?([A-Za-z0-9+/=]+)', text)[1]
        with open(os.path.join(lab.directory, f"old.{end}"), "wb") as file:
            file.write(base64.b64decode(old[part]))
    return text.replace(old["certificate"], base64.b64encode(shift(lab, "old", "ca", hours).encode()).decode())


def shorten(lab, path, hours):
    """In the store: the same certificate, of the same authority, but for its dates."""
    path = os.path.relpath(path, lab.directory)
    if path.endswith(".crt"):
        text = shift(lab, path.removesuffix(".crt"), authority(path), hours)
    else:
        text = shorten_kubeconfig(lab, lab.read(path), hours)
    with open(os.path.join(lab.directory, path), "w", encoding="ascii") as file:
        file.write(text)


def shorten_all(lab, end):
    paths = [*glob.glob(f"{lab.directory}/*.conf"), *glob.glob(f"{lab.directory}/pki/nodes/**", recursive=True)]
    paths = [path for path in paths if path.endswith((".crt", ".conf"))]
    assert len(paths) > 30, paths
    for path in paths:
        shorten(lab, path, (-1 / 60, (end - time.time()) / 3600))


def test_all_have_expired(make_lab):
    """What is wrong is told, by each command that looks, and one command ends it; what was written before is there."""
    lab = make_lab("expired")
    lab.init()
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    end = time.time() + LIFE_SECONDS
    shorten_all(lab, end)
    lab.hardway("install")
    lab.kubectl("create", "configmap", "of-last-year")
    assert time.time() < end, "they have expired before all was there"
    time.sleep(end + 2 - time.time())  # they have to expire

    told = "certificates of 3 of 3 members have expired"
    assert lab.version(timeout=5) is None
    report = lab.hardway("verify", check=76).out
    assert told in report and "hardway pki renew" in report, report
    assert told in lab.hardway("status", check=False).out
    assert "hardway pki renew" in lab.hardway("etcd", "members", "--json", check=False).json["advice"]
    assert "has expired on" in lab.hardway("pki", "check", check=False).out

    lab.hardway("pki", "renew")
    # a scheduler that comes anew waits for as long as the lease of the one before it may hold
    await_true("verify is green", lambda: lab.hardway("verify", check=False).status == 0, 60)
    assert "nothing to change" in lab.hardway("install").out
    assert "configmap/of-last-year" in lab.kubectl("get", "configmap", "-o", "name").out.split()
    assert all(lab.ready(address) for address in CONTROLLERS.values())
