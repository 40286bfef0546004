# SPDX-License-Identifier: LGPL-2.1-or-later
"""`hardway etcd snapshot --pull`, as far as it goes without nodes."""
import json
import re

import pytest


@pytest.mark.parametrize("every", ["12h", "never"])
def test_what_a_restore_has_left_out_is_not_brought(cluster, every):
    """Nobody is asked, so that it does not matter that there is nobody. There may be some although none are taken any more."""
    path = cluster.directory / "hardway.yaml"
    path.write_text(re.sub(r"(?m)^  every: .*", f"  every: {every}", path.read_text()))
    cluster("pki", "gen")
    (cluster.directory / "hardway.lock").write_text('{"format": 1, "artifacts": []}\n')
    (cluster.directory / "secrets" / "left-out").write_text("c0\nc1\nc2\n")
    result = cluster("etcd", "snapshot", "--pull", "--json")
    assert [(one["node"], one["outcome"]) for one in json.loads(result.out)] == [(name, "left-out") for name in ("c0", "c1", "c2")]
    for name in ("c0", "c1", "c2"):
        assert f"{name} was left out by a restore" in result.err and f"hardway etcd replace {name}" in result.err
    assert not any((cluster.directory / "snapshots").iterdir())
