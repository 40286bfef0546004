# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures: where the binaries come from, labs that go away afterwards, and a cluster that is already installed."""
import os

import pytest

from lab import Lab, TOP, run


TIER = os.environ.get("HARDWAY_TEST_TIER", "normal")


def pytest_configure(config):
    """The plugin for several tests at a time knows its mark; without it pytest warns of one that nobody has told of."""
    config.addinivalue_line("markers", "xdist_group(name): tests of one name run one after the other, in one process")
    config.addinivalue_line("markers", "long: of the long tier alone, as it shows in other surroundings, or more often, what another shows in all")


@pytest.hookimpl(tryfirst=True)  # before the plugin that reads the marks
def pytest_collection_modifyitems(config, items):
    """Tests of the long tier are left to it. Where several tests run at a time, those that share a lab stay together, in their order."""
    if TIER != "long":
        later = [item for item in items if item.get_closest_marker("long")]
        items[:] = [item for item in items if item not in later]
        config.hook.pytest_deselected(items=later)
    for item in items:
        if "make_shared_lab" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


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


@pytest.fixture(scope="session", name="mirror_of_two")
def mirror_of_two_fixture(mirror):
    """The same, with Kubernetes v1.36.2 beside v1.36.3: the same programs with another version stamped in, where they are built here."""
    if not mirror:
        return mirror
    result = run([os.path.join(TOP, "lab", "mirror", "restamp"), "v1.36.3", "v1.36.2", "amd64"])
    assert result.status == 0, result
    return result.out.strip()


@pytest.fixture(scope="session", name="mirror_of_next")
def mirror_of_next_fixture(mirror):
    """The same, with the next minor version of Kubernetes and its etcd beside: programs of their own."""
    if not mirror:
        return mirror
    result = run([os.path.join(TOP, "lab", "mirror", "get"), "--kubernetes", "v1.37.2", "--etcd", "v3.7.3", "--arch", "amd64"], timeout=3600)
    assert result.status == 0, result
    return result.out.strip()


def maker(program, mirror, tmp_path_factory):
    """Gives a function that boots a lab, and takes all that it booted down in the end, also after a failure. To install haproxy and keepalived
    takes 20 s of processor time in each: hosts have them, but where it is seen how they come and go."""
    labs = []
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").replace("gw", "w")  # several files call their lab `cluster`
    prefix = os.environ.get("HARDWAY_TEST_LAB", "") + (worker and worker + "-")

    def make(name, hosts=None, image="preinstalled"):
        lab = Lab(prefix + name, tmp_path_factory.mktemp(name), program)
        if mirror:
            lab.env["HARDWAY_MIRROR"] = mirror
        labs.append(lab)
        lab.down()
        lab.up(hosts, image)
        return lab

    yield make
    for lab in labs:
        lab.down()


@pytest.fixture(name="make_lab")
def make_lab_fixture(program, mirror, tmp_path_factory):
    """Labs for one test."""
    yield from maker(program, mirror, tmp_path_factory)


@pytest.fixture(scope="module", name="make_shared_lab")
def make_shared_lab_fixture(program, mirror, tmp_path_factory):
    """Labs for all tests of a file."""
    yield from maker(program, mirror, tmp_path_factory)


@pytest.fixture(scope="module", name="image")
def image_fixture():
    """What the hosts of the cluster are booted from, for a file to say another."""
    return "preinstalled"


@pytest.fixture(scope="module", name="network")
def network_fixture():
    """How patiently haproxy checks: a file in which this is not what is shown says wifi, as a busy machine answers late."""
    return "wired"


@pytest.fixture(scope="module", name="cluster")
def cluster_fixture(make_shared_lab, image, network):
    """Five hosts with a cluster on them, installed as the README says."""
    lab = make_shared_lab("cluster", image=image)
    lab.init("--network-profile", network)
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    lab.hardway("install")
    return lab
