# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unit files, read by the systemd of each release: command lines arrive at the program byte for byte."""
import os

import pytest

from lab import run

# prints its arguments, each in hex on a line
ARGV_HEX = """#!/bin/sh
{ for a; do printf %s "$a" | od -A n -v -t x1 | tr -d ' \\n'; echo; done; echo --; } >>/run/argv-hex.out
"""


@pytest.mark.parametrize("image", ["bookworm", "trixie"])
def test_quoting(make_lab, program, tmp_path, image):
    lab = make_lab(f"units-{image}", {"h0": "10.77.0.20"}, image=image)
    writer = os.path.join(os.path.dirname(program), "tests", "lab", "unit-writer")
    result = run([writer, "/usr/local/bin/argv-hex", "1", "300", str(tmp_path / "unit"), str(tmp_path / "expected")])
    assert result.status == 0, result
    unit = (tmp_path / "unit").read_text(encoding="utf-8")
    lab.enter("sh", "-c", "cat >/usr/local/bin/argv-hex; chmod 755 /usr/local/bin/argv-hex", host="h0", text_input=ARGV_HEX)
    lab.enter("sh", "-c", "cat >/run/systemd/system/quote.service", host="h0", text_input=unit)
    lab.sh("h0", "systemctl daemon-reload && systemctl start quote.service", timeout=400)
    journal = lab.sh("h0", "journalctl -b -o cat -u quote.service -p warning").out
    assert "quote.service" not in journal, journal
    expected = (tmp_path / "expected").read_text(encoding="ascii")
    seen = lab.sh("h0", "cat /run/argv-hex.out").out
    assert seen.split("--\n") == expected.split("--\n")
