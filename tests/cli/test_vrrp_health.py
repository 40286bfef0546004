# SPDX-License-Identifier: LGPL-2.1-or-later
"""The script by which keepalived decides whether a load balancer may hold the VIP, against monitor pages of our own."""
import os
import shutil
import socket
import subprocess
import threading
import time

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(TOP, "lbsetup", "scripts", "vrrp-health.bash")
OWN, PEER, OTHER = "127.0.0.1", "127.0.0.2", "127.0.0.3"
MAY, MAY_NOT = 0, 1


class Page:
    """Says what it is told to: a status; None: nothing, as a haproxy that hangs. Counts how often it was asked."""

    def __init__(self, address, port, *statuses):
        self.statuses, self.asked, self.silent = list(statuses), 0, []
        self.socket = socket.create_server((address, port))
        threading.Thread(target=self.serve, daemon=True).start()

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            status = self.statuses[min(self.asked, len(self.statuses) - 1)]
            self.asked += 1
            if status is None:
                self.silent.append(connection)
                continue
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.0 %d Whatever\r\ncontent-type: text/html\r\n\r\n<html>\n" % status)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture
def pages():
    opened = []

    def make(own, peer=(), other=()):
        """Each a sequence of statuses; an empty one: nobody listens."""
        first = Page(OWN, 0, *(own or (200,)))
        port = first.port
        opened.append(first)
        for address, statuses in ((PEER, peer), (OTHER, other)):
            if statuses:
                opened.append(Page(address, port, *statuses))
        if not own:
            opened.pop(0).close()
        return port

    make.opened = opened
    yield make
    for page in opened:
        page.close()


def ask(port, *peers, patience="0.2"):
    start = time.monotonic()
    result = subprocess.run([SCRIPT, str(port), patience, *peers], capture_output=True, timeout=20)
    assert result.stdout == result.stderr == b""
    return result.returncode, time.monotonic() - start


def test_with_an_apiserver_it_may_and_asks_nobody_else(pages):
    assert ask(pages([200], [200]), PEER)[0] == MAY
    assert [page.asked for page in pages.opened] == [1, 0]


def test_without_haproxy_it_may_not(pages):
    assert ask(pages([], [200]), PEER)[0] == MAY_NOT


def test_hung_haproxy_is_known_within_a_second(pages):
    status, seconds = ask(pages([None], [503]), PEER)
    assert status == MAY_NOT and seconds < 2  # 0.9, and what a busy machine adds
    assert pages.opened[0].asked == 2


def test_one_answer_lost_is_no_fault(pages):
    assert ask(pages([None, 200]), PEER)[0] == MAY


def test_blind_alone_may_not(pages):
    assert ask(pages([503], [200]), PEER)[0] == MAY_NOT
    assert ask(pages([503], [503], [200]), PEER, OTHER)[0] == MAY_NOT


def test_blind_with_all_others_may(pages):
    assert ask(pages([503], [503], [503]), PEER, OTHER)[0] == MAY


def test_blind_and_no_other_there_may(pages):
    port = pages([503])
    assert ask(port)[0] == MAY
    assert ask(port, PEER)[0] == MAY
    # off: packets vanish (a network set aside for documentation)
    status, seconds = ask(port, "192.0.2.1")
    assert status == MAY and seconds < 3


def test_blind_alone_for_a_moment_may(pages):
    """When all apiservers become unready, each load balancer sees it in its own time."""
    assert ask(pages([503], [200, 503]), PEER)[0] == MAY
    assert ask(pages([503, 200], [200]), PEER)[0] == MAY
    assert ask(pages([503, None], [200]), PEER)[0] == MAY_NOT


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="no shellcheck")
def test_scripts_are_clean_under_shellcheck():
    directory = os.path.dirname(SCRIPT)
    scripts = sorted(os.path.join(directory, name) for name in os.listdir(directory))
    result = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
