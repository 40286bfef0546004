# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway killed, and its node's power cut, at any call by which an installation or a change writes something: the next run ends as if nothing
had happened."""
import pytest

from world import RESET, SEED, choose, converges, install, old_or_new


def was_struck(struck, at, reached):
    """It was killed there, unless this run had fewer calls."""
    if struck["status"] == 0:
        assert len(struck["calls"]) <= at, struck
    else:
        assert struck["status"] == 137, struck
        reached.append(at)


@pytest.mark.parametrize("node, what, whose, n", [("c0", "fresh", "all", 40), ("c0", "change", "all", 20), ("lb0", "fresh", "disk", 8),
                                                  ("lb0", "change", "disk", 4)])
def test_hardway_killed(for_each, undisturbed, node, what, whose, n):
    """What it had begun on the node may go on meanwhile."""

    def kill(machine, at):
        machine.begin(node, what)
        struck = machine.struck(at, whose, "kill", *install(node))
        was_struck(struck, at, reached)
        converges(machine, node, undisturbed[node, what], struck)

    n_calls, reached = undisturbed[node, what][whose], []
    assert n_calls >= 100
    for_each(choose(n_calls, n), kill)
    assert len(reached) >= 0.9 * min(n, n_calls)


@pytest.mark.parametrize("node, what, n", [("c0", "fresh", 40), ("c0", "change", 20), ("lb0", "fresh", 10), ("lb0", "change", 5)])
def test_power_cut(for_each, undisturbed, node, what, n):
    """The disk has forgotten what was not synced."""

    def cut(machine, at):
        machine.begin(node, what)
        struck = machine.struck(at, "disk", f"cut:{SEED + at}", *install(node))
        was_struck(struck, at, reached)
        old_or_new(machine.state(), undisturbed[node, what])
        machine.restart()
        converges(machine, node, undisturbed[node, what], struck)

    n_calls, reached = undisturbed[node, what]["disk"], []
    for_each(choose(n_calls, n), cut)
    assert len(reached) >= 0.9 * min(n, n_calls)


@pytest.mark.parametrize("whose, what", [("all", "kill"), ("disk", "cut")])
def test_reset(for_each, whose, what):
    """A reset that was interrupted anywhere is finished by the next: what lay there before hardway came is there again, and stays."""

    def strike(machine, at):
        machine.installed_only()
        struck = machine.struck(at, whose, what + (f":{SEED + at}" if what == "cut" else ""), *RESET)
        was_struck(struck, at, reached)
        if what == "cut":
            machine.restart()
        for _ in range(2):
            machine.hardway(*RESET)
            assert machine.state() == after, struck

    def look(machine, _):
        machine.fresh()
        nonlocal before, after, n_calls
        before = machine.state()
        machine.installed_only()
        struck = machine.struck(-1, whose, "kill", *RESET)
        assert struck["status"] == 0, struck
        after = machine.state()
        n_calls = len(struck["calls"])

    before, after, n_calls, reached = {}, {}, 0, []
    for_each([0], look)
    for path in ("/etc/kubernetes/audit-policy.yaml", "/etc/systemd/system/kube-scheduler.service"):
        assert after[path] == before[path], path
    assert not set(after) - set(before), set(after) - set(before)
    for_each(choose(n_calls, 10), strike)
    assert len(reached) >= 0.9 * min(10, n_calls)
