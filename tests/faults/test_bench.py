# SPDX-License-Identifier: LGPL-2.1-or-later
"""bench/scale plays its nodes by what plays them here: that it still measures something is seen with a few of them."""
import pathlib
import re
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]


def test_scale():
    done = subprocess.run([TOP / "bench" / "scale", "1", "4", "5"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for command in ("install", "plan", "status"):
        assert len(re.findall(rf"^{command} +[45] nodes  min +\d", done.stdout, re.MULTILINE)) == 2, done.stdout
