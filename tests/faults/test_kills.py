# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway killed, and its node's power cut, at any call by which an installation or a change writes something: the next run ends as if nothing
had happened."""
import pytest

from world import INSTALL, SEED, choose, converges, old_or_new


@pytest.mark.parametrize("kind, n", [("fresh", 40), ("change", 20)])
def test_hardway_killed(for_each, undisturbed, kind, n):
    """What it had begun on the node may go on meanwhile."""

    def kill(machine, at):
        machine.begin(kind)
        struck = machine.struck(at, "all", "kill", *INSTALL)
        assert struck["status"] in (137, 0), struck
        converges(machine, undisturbed[kind], struck)

    for_each(choose(undisturbed[kind]["all"], n), kill)


@pytest.mark.parametrize("kind, n", [("fresh", 40), ("change", 20)])
def test_power_cut(for_each, undisturbed, kind, n):
    """The disk has forgotten what was not synced."""

    def cut(machine, at):
        machine.begin(kind)
        struck = machine.struck(at, "disk", f"cut:{SEED + at}", *INSTALL)
        assert struck["status"] in (137, 0), struck
        old_or_new(machine.state(), undisturbed[kind])
        machine.restart()
        converges(machine, undisturbed[kind], struck)

    for_each(choose(undisturbed[kind]["disk"], n), cut)
