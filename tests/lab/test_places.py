# SPDX-License-Identifier: LGPL-2.1-or-later
"""Load balancers that come and go: at no time do two hold the VIP."""
import re

import pytest

from lab import BALANCERS, CONTROLLERS, VIP, await_true, edit

pytestmark = pytest.mark.long

FIRST = {"controller-0": CONTROLLERS["controller-0"]}
LATER = {"lb-2": "10.77.0.13"}
HOSTS = {**FIRST, **BALANCERS, **LATER}


def holders(lab):
    return [host for host in HOSTS if f" {VIP}/" in lab.sh(host, "ip -o addr show", check=False).out]


def give_vip_to(lab, host, others):
    lab.sh(host, "systemctl start haproxy keepalived")
    for other in others:
        lab.sh(other, "systemctl stop haproxy")
    await_true(f"{host} holds the VIP", lambda: holders(lab) == [host], 20)
    for other in others:
        lab.sh(other, "systemctl start haproxy")
    await_true("the cluster is well", lambda: lab.hardway("verify", check=False).status == 0, 60)
    assert holders(lab) == [host]


def states(lab, host):
    return lab.sh(host, "systemctl is-active haproxy keepalived; systemctl is-enabled haproxy keepalived", check=False).out.split()


def test_load_balancers_come_and_go(make_lab):
    lab = make_lab("places", HOSTS)
    before = states(lab, "controller-0")
    lab.init(controllers=FIRST)
    line = next(line for line in lab.read("hardway.yaml").splitlines() if "name: lb-1" in line)
    edit(lab, r"(name: controller-0.*)\[controller\]", r"\1[controller, loadbalancer]")
    for verb in ("pki", "gen"), ("fetch",), ("install",):
        lab.hardway(*verb)

    # a controller that is one no more: it has the VIP, and lets go of it; its units are again what they were
    give_vip_to(lab, "controller-0", list(BALANCERS))
    edit(lab, r"\[controller, loadbalancer\]", "[controller]")
    lab.hardway("install")
    assert states(lab, "controller-0") == before
    assert len(holders(lab)) == 1 and holders(lab)[0] in BALANCERS
    lab.verify()

    # out of the cluster file, and left running: whether it holds the VIP or not
    for holder, other in (("lb-0", "lb-1"), ("lb-1", "lb-0")):
        give_vip_to(lab, holder, [other])
        edit(lab, re.escape(line) + "\n", "")
        refused = lab.hardway("install", check=65)
        assert f"the load balancer at {BALANCERS['lb-1']} runs still" in refused.err and "hardway reset --node NAME" in refused.err, refused
        assert holders(lab) == [holder]
        edit(lab, r"(.*name: lb-0.*\n)", rf"\1{line}\n")
    assert "nothing to change" in lab.hardway("install").out

    # as it was said; another one comes in its place
    lab.hardway("reset", "--yes", "--node", "lb-1")
    assert "no load balancer that works would be left" in lab.hardway("reset", "--yes", "--node", "lb-0", check=65).err
    assert holders(lab) == ["lb-0"]
    edit(lab, re.escape(line) + "\n", line.replace("lb-1", "lb-2").replace(BALANCERS["lb-1"], LATER["lb-2"]) + "\n")
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    with lab.client() as seen:
        lab.hardway("install")
    assert not seen["lost"] and seen["gap"] < 2, seen
    assert len(holders(lab)) == 1
    lab.verify()
