# SPDX-License-Identifier: LGPL-2.1-or-later
"""What haproxy knows of its servers outlasts a reload, and nothing else does: the script before it, against an admin socket of our own."""
import os
import shutil
import socket
import subprocess
import threading

import pytest

TOP = os.path.join(os.path.dirname(__file__), "..", "..")

CONFIG = """
backend apiservers
        server c0 10.77.0.20:6443 track checks/c0
backend checks
        server c0 10.77.0.20:6443
        server c1 [fd00::21]:6443
"""

# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status
# srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port ...
LINE = "4 checks 1 {name} {address} {state} {admin} 1 1 2 15 3 {health} {check} 0 0 0 - {port} - 0 0 - - 0"
UP = {"name": "c0", "address": "10.77.0.20", "state": 2, "admin": 0, "health": 3, "check": 6, "port": 6443}
DOWN = {**UP, "state": 0, "health": 0}
IPV6 = {**UP, "name": "c1", "address": "fd00::21"}


class Admin:
    """haproxy's admin socket, which answers one question; None: it takes the question, and says nothing."""

    def __init__(self, path, answer):
        self.answer, self.asked = answer, None
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        connection, _ = self.socket.accept()
        self.asked = connection.recv(1000).decode()
        if self.answer is not None:
            connection.sendall(self.answer.encode())
            connection.close()
        else:
            self.silent = connection


@pytest.fixture(name="keep")
def keep_fixture(tmp_path):
    """Gives a function that runs the script where a haproxy answers so, and tells the lines that it leaves for the next one."""
    file, config, admin = tmp_path / "haproxy.servers", tmp_path / "haproxy.cfg", tmp_path / "admin.sock"
    script = tmp_path / "hardway-servers"
    with open(os.path.join(TOP, "lbsetup", "scripts", "haproxy-servers.sh"), encoding="utf-8") as source:
        text = source.read()
    for path, ours in (("/run/hardway/haproxy.servers", file), ("/etc/haproxy/haproxy.cfg", config), ("/run/haproxy/admin.sock", admin)):
        assert path in text
        text = text.replace(path, str(ours))
    script.write_text(text)
    script.chmod(0o755)
    config.write_text(CONFIG)
    file.write_text("1\n4 checks 1 c0 what was known before\n")

    def run(answer, listening=True, path=os.environ["PATH"]):
        served = Admin(str(admin), answer) if listening else None
        result = subprocess.run([script], env={"PATH": path}, capture_output=True, text=True, timeout=20, check=True)
        assert result.stdout == result.stderr == ""
        assert not served or answer is None or served.asked == "show servers state checks\n"
        assert sorted(entry.name for entry in tmp_path.iterdir() if entry.name.startswith("haproxy.servers")) == ["haproxy.servers"]
        version, *lines = file.read_text().splitlines()
        assert version == "1"
        return lines

    return run


def answer(*servers):
    return "\n".join(["1", "# be_id be_name srv_id srv_name", *(LINE.format(**server) for server in servers), "", ""])


def test_servers_stay_as_they_are(keep):
    assert keep(answer(UP, IPV6)) == [LINE.format(**UP), LINE.format(**IPV6)]


def test_one_that_is_down_stays_down(keep):
    assert keep(answer(DOWN)) == [LINE.format(**DOWN)]


def test_one_that_is_being_checked_just_now(keep):
    assert keep(answer({**UP, "check": 7})) == [LINE.format(**{**UP, "check": 7})]


@pytest.mark.parametrize("change", [{"check": 2}, {"check": 3}, {"admin": 1}, {"admin": 8}], ids=str)
def test_what_was_set_aside_is_forgotten(keep, change):
    """Planned work turns checks off; a reload brings everything back."""
    assert keep(answer({**UP, **change}, IPV6)) == [LINE.format(**IPV6)]


@pytest.mark.parametrize("change", [{"address": "10.77.0.50"}, {"port": 7443}, {"name": "c9"}, {"name": "c1"}], ids=str)
def test_one_that_is_elsewhere_now_begins_anew(keep, change):
    """haproxy would go by the port in the file, not by that of its configuration."""
    assert keep(answer({**UP, **change}, IPV6)) == [LINE.format(**IPV6)]


@pytest.mark.parametrize("said", ["", "\n", "Can't find backend.\n\n", "2\n" + LINE.format(**UP) + "\n"], ids=repr)
def test_what_is_not_understood_is_not_passed_on(keep, said):
    """A configuration without these checks; a format to come. Nor is what the reload before left."""
    assert keep(said) == []


def test_without_an_answer_the_reload_goes_on(keep, tmp_path):
    script = tmp_path / "hardway-servers"
    script.write_text(script.read_text().replace("timeout 5 ", "timeout 0.5 "))
    assert keep(None) == []


def test_without_a_haproxy_the_reload_goes_on(keep):
    assert keep("", listening=False) == []


SOCAT = """#!/usr/bin/python3
import socket, sys
assert sys.argv[1:4] == ["-t", "5", "-"]
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[4].removeprefix("UNIX-CONNECT:"))
s.sendall(sys.stdin.buffer.read())
while got := s.recv(4096):
    sys.stdout.buffer.write(got)
"""


def test_socat_does_instead_of_perl(keep, tmp_path):
    path = tmp_path / "bin"
    path.mkdir()
    for tool in ("sh", "awk", "timeout", "mv"):
        (path / tool).symlink_to(shutil.which(tool))
    assert keep(answer(UP), path=str(path), listening=False) == []
    (path / "socat").write_text(SOCAT)
    (path / "socat").chmod(0o755)
    assert keep(answer(UP), path=str(path)) == [LINE.format(**UP)]
