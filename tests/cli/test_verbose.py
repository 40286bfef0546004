# SPDX-License-Identifier: LGPL-2.1-or-later
"""--verbose: every command that is sent to a node, as it is sent. ssh is one that never arrives."""
import json
import re

import pytest


@pytest.fixture(name="away")
def away_fixture(cluster):
    """A cluster none of whose nodes is there."""
    programs = cluster.directory / "bin"
    programs.mkdir()
    (programs / "ssh").write_text("#!/bin/sh\ncat >/dev/null\n"
                                  "echo 'ssh: connect to host 10.77.0.20 port 22: Connection refused' >&2\nexit 255\n")
    (programs / "ssh").chmod(0o755)
    cluster.environment["PATH"] = f"{programs}:{cluster.environment['PATH']}"
    cluster.environment["XDG_RUNTIME_DIR"] = ""
    return cluster


def commands(text):
    """Of each command its title and its lines."""
    return re.findall(r"^(\w+: .*)\n((?:  .*\n)+)", text, re.MULTILINE)


def test_a_command_is_shown_as_it_is_sent(away):
    result = away("plan", "--verbose", status=69)
    shown = [one for one in commands(result.err) if one[0].split(":")[0] in ("c0", "c1", "c2", "lb0", "lb1")]
    assert sorted(title.split(":")[0] for title, _ in shown) == ["c0", "c1", "c2", "lb0", "lb1"]
    for title, lines in shown:
        name = title.split(":")[0]
        address = {"c0": "10.77.0.20", "c1": "10.77.0.21", "c2": "10.77.0.22", "lb0": "10.77.0.11", "lb1": "10.77.0.12"}[name]
        assert re.match(r"  \$ ssh -T -oBatchMode=yes .* -- " + re.escape(address) + " '", lines), lines
        assert "\n  | H_PATHS='" in lines and ("etc/haproxy/haproxy.cfg" in lines) == name.startswith("lb")
        assert lines.count("hardway-begin") == 1
    # the script itself once, by whoever was first; the others say where
    first, *others = [lines for _, lines in shown]
    assert "\n  | section generation\n" in first and "... " not in first
    for lines in others:
        assert "section generation" not in lines
        assert len(re.findall(r"\n  \| \.\.\. \d+ lines \(see above, " + re.escape(shown[0][0]) + r"\)\n", lines)) == 2


def test_nothing_of_it_is_on_standard_output(away):
    plain = away("plan", status=69)
    assert "look (" not in plain.err + plain.out
    assert away("plan", "--verbose", status=69).out == plain.out
    assert "look (" not in away("plan", "--verbose", "--quiet", status=69).err
    assert "look (" in away("check", "--verbose", "--json", status=69).err


def test_a_document_says_why_a_node_was_not_looked_at(away):
    tree = json.loads(away("plan", "--json", status=69).out)
    assert [error["text"].split(":")[0] for error in tree["errors"]] == ["c0", "c1", "c2", "lb0", "lb1"]
    assert all("Is it started" in error["details"] for error in tree["errors"]) and tree["differs"] is None


def test_a_local_node_is_told_too(away):
    away.cluster.unlink()
    away.init("--local", "c0")
    # as somebody else than root it ends before; as root it looks at this machine, whatever that has to say
    result = away("plan", "--verbose", "--node", "c0", status=None)
    told = re.search(r"^c0: look \(.*\)\n  \$ sh -c 'while read .*\n  \| printf 'hardway-begin", result.err, re.MULTILINE)
    assert "has to run as root" in result.err or told, result


def test_events_tell_it_too(away):
    events = [json.loads(line) for line in away("reset", "--verbose", "--dry-run", "--json", status=None).out.splitlines()]
    told = [event for event in events if event["event"] == "command"]
    assert {event["name"] for event in told} >= {"c0", "lb1"}
    assert all(event["text"].startswith(event["name"] + ": ") and "\n  $ ssh " in event["text"] for event in told)
