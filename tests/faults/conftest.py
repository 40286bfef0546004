# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures: machines that are played, and what an undisturbed installation makes of one."""
import concurrent.futures
import os
import queue

import pytest

from world import KINDS, Machine, Site, install


@pytest.fixture(scope="session", name="machines")
def machines_fixture(tmp_path_factory):
    """As many machines as there are processors, in a queue; see for_each()."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    site = Site(tmp_path_factory.mktemp("site"))
    machines = [Machine(site) for _ in range(min(4, os.cpu_count()))]
    free = queue.SimpleQueue()
    for machine in machines:
        free.put(machine)
    yield free
    for machine in machines:
        machine.close()


@pytest.fixture(scope="session", name="for_each")
def for_each_fixture(machines):
    """Gives a function that does something to a machine for each of a list, on several at a time."""

    def for_each(items, act):
        def one(item):
            machine = machines.get()
            try:
                act(machine, item)
            finally:
                machine.play()  # no other node any more
                machines.put(machine)

        with concurrent.futures.ThreadPoolExecutor(machines.qsize()) as pool:
            for done in concurrent.futures.as_completed([pool.submit(one, item) for item in items]):
                done.result()

    return for_each


@pytest.fixture(scope="session", name="undisturbed")
def undisturbed_fixture(for_each):
    """By kind: the machine before and after, how many calls lie in between, and what those on the node can meet."""
    found = {}

    def look(machine, kind):
        command = install(kind[0])
        machine.begin(*kind)
        before = machine.state()
        calls = machine.struck(-1, "all", "kill", *command)
        assert calls["status"] == 0, calls
        after = machine.state()
        assert "nothing to change" in machine.hardway(*command)["out"]
        assert machine.state() == after
        # the fourth word: what they can meet; there is something for each that is about the disk
        meets = [call.split(" ")[1:4:2] for call in calls["calls"]]
        found[kind] = {"before": before, "after": after, "all": len(meets), "disk": sum(errnos != "" for _, errnos in meets),
                       "node": [errnos.split(",") for who, errnos in meets if who == "node"]}

    for_each(KINDS, look)
    return found
