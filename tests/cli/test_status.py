# SPDX-License-Identifier: LGPL-2.1-or-later
"""What status says of a cluster of which nothing answers."""
import os


def test_the_last_line_says_where_it_goes_on(cluster, tmp_path):
    cluster("pki", "gen")
    (cluster.directory / "hardway.lock").write_text('{"format": 1, "artifacts": []}\n')
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text("#!/bin/sh\necho 'ssh: connect to host: No route to host' >&2\nexit 255\n")
    ssh.chmod(0o755)
    away = {"PATH": f"{ssh.parent}:{os.environ['PATH']}"}

    last = cluster("status", env=away).out.splitlines()[-1]
    assert last.startswith("Not well: ") and last.endswith("What to do about each: hardway verify")
    n_bad, n_all = [int(word) for word in last.replace(".", "").split() if word.isdigit()]
    assert 0 < n_bad == n_all
    assert "What to do" not in cluster("status", "--json", env=away).out
