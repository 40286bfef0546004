# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures: where the binaries come from, labs that go away afterwards, and a cluster that is already installed."""
import os

import pytest

from lab import Lab, TOP, run


@pytest.fixture(scope="session", name="program")
def program_fixture():
    return os.path.realpath(os.environ["HARDWAY"])


@pytest.fixture(scope="session", name="mirror")
def mirror_fixture():
    """The URL of the mirror, or the empty string where the official sites can be reached."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    result = run([os.path.join(TOP, "lab", "mirror", "get"), "--arch", "amd64"], timeout=3600)
    assert result.status == 0, result
    return result.out.strip()


@pytest.fixture(scope="module", name="make_lab")
def make_lab_fixture(program, mirror, tmp_path_factory):
    """A function that boots a lab; all labs of a module are taken down after it, also when it failed."""
    labs = []

    def make(name, hosts=None, image=None, boot=True):
        lab = Lab(name, tmp_path_factory.mktemp(name), program)
        if mirror:
            lab.env["HARDWAY_MIRROR"] = mirror
        labs.append(lab)
        lab.down()
        if boot:
            lab.up(hosts, image)
        return lab

    yield make
    for lab in labs:
        lab.down()


@pytest.fixture(scope="module", name="cluster")
def cluster_fixture(make_lab):
    """Five hosts with a cluster on them, installed as the README says."""
    lab = make_lab("cluster")
    lab.init()
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    lab.hardway("install")
    return lab
