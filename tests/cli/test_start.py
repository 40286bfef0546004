# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every command pays for: the libraries that are loaded before anything is done."""
import os
import subprocess

HARDWAY = os.path.realpath(os.environ["HARDWAY"])


def test_nothing_is_loaded_in_vain():
    """libcurl and libarchive, and the forty libraries that come with them, are loaded when they are needed."""
    environment = {**os.environ, "LD_DEBUG": "files"}
    environment.pop("LD_DEBUG_OUTPUT", None)  # an empty one makes files of the current directory
    out = subprocess.run([HARDWAY, "--version"], capture_output=True, text=True, check=True, env=environment).stderr
    assert "libcrypto" in out
    for name in "libcurl", "libarchive", "libssl", "libxml2", "libldap":
        assert name not in out
