# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a load balancer is asked: whoever may write one of the files that are read cannot add lines to the answer."""
import os
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(TOP, "lbsetup", "scripts", "lb-look.sh")


@pytest.fixture(name="look")
def look_fixture(tmp_path):
    with open(SCRIPT, encoding="utf-8") as f:
        script = f.read().replace("/run/hardway/", f"{tmp_path}/")

    def run(**files):
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_bytes(text)
        result = subprocess.run(["sh", "-eu", "-c", script], stdout=subprocess.PIPE, check=True)
        return result.stdout.decode().splitlines()

    return run


def test_what_the_files_say(look):
    lines = look(haproxy_down=b"1\n", handover=b"0\n", haproxy_aside=b"c1\nc2\n", keepalived_state=b"BACKUP 17\n")
    assert {"down 1", "handover 0", "aside c1", "vrrp BACKUP 17"} <= set(lines)
    assert "c2" not in lines


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_state_adds_no_lines(look, end):
    lines = look(keepalived_state=end.join([b"B 1", b"aside $(reboot)", b"page 200", b"address 10.77.0.10/32"]))
    assert "vrrp B 1" in lines and "aside " in lines
    assert not any("reboot" in line or line.startswith("page") or "10.77.0.10" in line for line in lines)
