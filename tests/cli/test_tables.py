# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tables, on terminals of several widths and in a pipe: nothing is cut off, and no line is longer than the terminal."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

# What each has to say in one piece, if it says it at all.
NEVER_CUT = {
    "pki list": r"^nodes/c\d/\S+|^etcd/ca|^front-proxy-ca|^super-admin|20\d\d-\d\d-\d\d|ec:p256",
    "pki check": r"^(?:ok|warning) +\S+|^ok|^warning",
    "fetch --list": r"^\S+ +v[0-9.]+ +arm64|not fetched yet",
    "explain --client-ca-file": r"^kube-[a-z-]+ --client-ca-file|flag of kube-[a-z-]+",
}


def on_terminal(program, width, *words):
    """What stands on a terminal of that width."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    with subprocess.Popen([program.path, "--color=never", *words], cwd=program.directory, stdin=subprocess.DEVNULL, stdout=follower,
                          stderr=subprocess.DEVNULL, env=program.environment) as child:
        os.close(follower)
        text = b""
        while True:
            try:
                some = os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
            if not some:
                break
            text += some
        child.wait(timeout=60)
    os.close(leader)
    return text.decode().replace("\r\n", "\n")


@pytest.fixture(name="store")
def store_fixture(cluster):
    cluster("pki", "gen")
    # Something to say much of.
    cluster.cluster.write_text(cluster.cluster.read_text().replace("  # names: [ k8s.home.lan ]", "  names: [ k8s.home.lan ]"))
    return cluster


TABLES = [["pki", "list"], ["pki", "check", "--no-nodes"], ["fetch", "--list"], ["explain", "--client-ca-file"]]


@pytest.mark.parametrize("words", TABLES, ids=" ".join)
@pytest.mark.parametrize("width", [80, 120, 160])
def test_nothing_is_cut(store, words, width):
    piped = store(*words, status=1 if "check" in words else 0).out
    text = on_terminal(store, width, *words)
    lines = text.splitlines()
    if words[1] == "check":
        lines = lines[1:]  # what monitoring shows is one line
    assert max(map(len, lines)) <= width, max(lines, key=len)
    pattern = re.compile(NEVER_CUT[" ".join(words[:2])], re.MULTILINE)
    said = {re.sub(" +", " ", match) for match in pattern.findall(text)}
    assert said and said == {re.sub(" +", " ", match) for match in pattern.findall(piped)}
    assert not any(line.endswith(" ") for line in lines)


@pytest.mark.parametrize("words", TABLES, ids=" ".join)
def test_narrow(store, words):
    """What does not fit is wrapped: no word of it is lost."""
    lines = on_terminal(store, 60, *words).splitlines()
    if words[0] == "explain" or words[1] == "check":
        lines = lines[1:]  # no part of the table
    assert max(map(len, lines)) <= 60, max(lines, key=len)


def test_what_is_left_out_is_said(store):
    text = on_terminal(store, 80, "pki", "list")
    assert "GOES TO, SUBJECT, NAMES, ISSUER: in a wider terminal, or with --verbose" in text
    assert "in a wider terminal" not in store("pki", "list").out
    assert "CN=kube-scheduler" in on_terminal(store, 80, "pki", "list", "--verbose")


def test_in_a_pipe(store):
    """Whole, in the order of columns, and no wider than can be looked at."""
    lines = store("pki", "list").out.splitlines()
    assert lines[0].split() == ["NAME", "STATE", "KEY", "UNTIL", "GOES", "TO", "SUBJECT", "NAMES", "ISSUER"]
    assert max(map(len, lines)) < 300
    one = next(line for line in lines if line.startswith("nodes/c0/pki/scheduler "))
    assert "/etc/kubernetes/pki/scheduler.{crt,key} on c0" in one and "CN=kube-scheduler" in one
