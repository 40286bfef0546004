# SPDX-License-Identifier: LGPL-2.1-or-later
"""Single steps of the script that changes a node, run here below a root of their own."""
import os
import re
import subprocess

import pytest

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


def function(name):
    with open(os.path.join(TOP, "host", "scripts", "put.sh"), encoding="utf-8") as file:
        return re.search(rf"^{name}\(\) \{{\n.*?^\}}\n", file.read(), re.M | re.S).group(0)


def run(root, command):
    functions = "".join(function(name) for name in ("directory", "attributes", "owner"))
    script = f'set -eu\nfail() {{ echo "$@"; exit 1; }}\n{functions}cd "$1"\n{command}\n'
    return subprocess.run(["sh", "-c", script, "sh", str(root)], capture_output=True, text=True, check=False, timeout=30)


@pytest.mark.parametrize("step", ["attributes", "directory"])
def test_what_a_link_leads_to_is_not_given_away(tmp_path, step):
    """A service that owns the directory above may have put it there since the node was looked at."""
    shadow = tmp_path / "shadow"
    shadow.write_text("secret\n")
    shadow.chmod(0o600)
    (tmp_path / "audit").symlink_to("shadow")
    owner = f"{os.geteuid()}:{os.getegid()}"
    done = run(tmp_path, f"{step} 0755 {owner} audit")
    assert done.returncode == 1 and done.stdout.startswith("refused /audit is a symbolic link"), done
    assert shadow.stat().st_mode & 0o7777 == 0o600

    (tmp_path / "audit").unlink()
    (tmp_path / "audit").mkdir()
    done = run(tmp_path, f"{step} 0700 {owner} audit")
    assert done.returncode == 0, done
    assert (tmp_path / "audit").stat().st_mode & 0o7777 == 0o700


def test_a_link_itself_is_given(tmp_path):
    """As far as it comes to that: root's own file stays root's."""
    if os.geteuid() != 0:
        pytest.skip("giving files away takes root")
    (tmp_path / "shadow").write_text("secret\n")
    (tmp_path / "link").symlink_to("shadow")
    assert run(tmp_path, "owner 65534:65534 link").returncode == 0
    assert (tmp_path / "shadow").stat().st_uid == 0 and (tmp_path / "link").lstat().st_uid == 65534
