# SPDX-License-Identifier: LGPL-2.1-or-later
"""Flags of the user's own: what is said of them before any node is asked, and what the manual shows of them."""
import os
import re

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def blocks_of_manual():
    with open(os.path.join(TOP, "man", "hardway.yaml.5.scd"), encoding="utf-8") as f:
        section = f.read().split("# FILES OF YOUR OWN\n", 1)[1].split("\n# ", 1)[0]
    return re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def add(cluster, text):
    cluster.cluster.write_text(cluster.cluster.read_text() + text)


def test_the_example_keeps_what_the_planned_file_has(cluster):
    """Health checks come without a name: an own authentication-config that forgets them takes the API away."""
    cluster("plan", "--output=tree")
    planned = (cluster.directory / "tree/c0/etc/kubernetes/authentication-config.yaml").read_text()
    ours = "".join(line for line in planned.replace('"', "").splitlines(True) if not line.startswith("#"))
    assert "/readyz" in ours and blocks_of_manual()[0].startswith(ours)


def test_the_example_is_taken(cluster):
    example = next(b for b in blocks_of_manual() if b.startswith("extra-args:"))
    add(cluster, example)
    result = cluster("plan", "--output=tree")
    assert "extra-args" not in result.err
    unit = (cluster.directory / "tree/c0/etc/systemd/system/kube-apiserver.service").read_text()
    assert "--authentication-config=/etc/kubernetes/authn.yaml" in unit


def test_oidc_is_told_where_it_goes(cluster):
    add(cluster, "extra-args:\n  kube-apiserver:\n    oidc-issuer-url: https://login.example.com\n"
                 "    audit-policy-file: policy.yaml\n")
    result = cluster("plan", "--offline", status=65)
    assert "authentication-config: /etc/kubernetes/authn.yaml (FILES OF YOUR OWN in hardway.yaml(5))" in result.err
    assert "'policy.yaml' is no absolute path" in result.err and "/etc/kubernetes/policy.yaml" in result.err


def test_below_its_own_directory_the_service_makes_it(cluster):
    """Root would give away whatever the service has put a link to in its place."""
    add(cluster, "extra-args:\n  kube-apiserver:\n    audit-log-path: /var/log/kubernetes/audit/audit.log\n")
    cluster("plan", "--output=tree")
    unit = (cluster.directory / "tree/c0/etc/systemd/system/kube-apiserver.service").read_text()
    assert "--audit-log-path=/var/log/kubernetes/audit/audit.log" in unit and "ReadWritePaths=/var/log" not in unit
    assert "/var/log/kubernetes/audit" not in cluster("plan", "--offline").out
    cluster.cluster.write_text(cluster.cluster.read_text().replace("audit-log-path: /var/log/kubernetes/audit/audit.log",
                                                                   "debug-socket-path: /var/log/kubernetes/debug/socket"))
    refused = cluster("plan", "--offline", status=65).err
    assert "/var/log/kubernetes/debug lies in /var/log/kubernetes, which is the service's own: name that one, or one beside it" in refused
