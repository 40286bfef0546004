# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every drill, power cuts and cut links included: part of the long tier."""
from test_failover import power


def test_all_drills(cluster):
    report = cluster.hardway("verify", "--failover", "--yes", "--json", *power(cluster), timeout=900).json
    assert len(report["drills"]) == 14 and all(found["healthy"] > 0 for found in report["drills"]), report
    cluster.await_green()
