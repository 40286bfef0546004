# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another VIP for a cluster that lives, as hardway.yaml(5) has it (CHANGES): clients that try the old one and the new one find one of them
all the time, with a certificate that names it."""
import pytest

from lab import BALANCERS, CONTROLLERS, VIP, edit
from serving import LEADER_MOVES

pytestmark = pytest.mark.long

NEW = "10.77.0.9"
APISERVERS = [f"nodes/{name}/pki/apiserver" for name in CONTROLLERS]


def holders(lab, address):
    return [lb for lb in BALANCERS if f" {address}/" in lab.sh(lb, "ip -o addr show").out]


def name_as_well(lab, address):
    """certificates.extra_sans, or (None) none."""
    text = lab.read("hardway.yaml")
    if "extra_sans" in text:
        edit(lab, r"\n  extra_sans: .*", "")
    if address:
        edit(lab, r"^certificates:\n", f"certificates:\n  extra_sans: [ {address} ]\n")


def install(lab, status=65):
    """As the manual has it: gen, then install; the other way round is refused, unless there is only a name too many."""
    forgotten = lab.hardway("plan", check=status).err
    assert ("the certificates do not fit hardway.yaml, or have expired: run hardway pki gen first" if status else "still has the name") in forgotten
    lab.hardway("pki", "gen")
    lab.hardway("install")


def assert_unnoticed(seen):
    """Of requests that may be asked again; a connection that was there over an address that goes ends with it, as does a watch."""
    noticed = [failure for failure in seen["failures"] if failure["who"] == "reader"
               or (failure["who"] == "writer" and not LEADER_MOVES.search(failure["error"]))]
    assert not noticed and not seen["lost"] and min(seen["answers"], seen["written"]) > 20 and seen["gap"] < 4, \
        {"noticed": noticed, **seen}


def move(lab, old, new):
    edit(lab, rf"  address: {old.replace('.', '[.]')}\b", f"  address: {new}")


def walk(lab, old, new):
    """The three steps."""
    both = f"{old},{new}"
    name_as_well(lab, new)
    with lab.client(hosts=both) as seen:
        install(lab)
    assert_unnoticed(seen)
    for address in CONTROLLERS.values():
        shown = lab.served(address, 6443)["text"]
        assert f"IP Address:{old}" in shown and f"IP Address:{new}" in shown
    serials = [lab.served(address, 6443)["serial"] for address in CONTROLLERS.values()]

    move(lab, old, new)
    name_as_well(lab, old)
    with lab.client(hosts=both) as seen:
        install(lab)
    assert_unnoticed(seen)
    assert len(holders(lab, new)) == 1 and not holders(lab, old)
    assert [lab.served(address, 6443)["serial"] for address in CONTROLLERS.values()] == serials, "the names are the same, in another order"
    assert f'server: "https://{new}:6443"' in lab.read("admin.conf")
    assert lab.version(new, timeout=5) and not lab.version(old)

    name_as_well(lab, None)
    install(lab, status=0)
    assert f"IP Address:{old}" not in lab.served(new, 6443)["text"]
    lab.verify()
    lab.hardway("pki", "check")
    assert "nothing to change" in lab.hardway("install").out


def test_another_vip(cluster):
    walk(cluster, VIP, NEW)


def test_and_back_with_the_same_virtual_router(cluster):
    """Where the number of the virtual router is given it stays, and both take the new address in by a reload."""
    if NEW not in cluster.read("hardway.yaml"):
        walk(cluster, VIP, NEW)
    edit(cluster, "  # vrrp_id: .*", "  vrrp_id: 77")
    cluster.hardway("install")
    walk(cluster, NEW, VIP)
