# SPDX-License-Identifier: LGPL-2.1-or-later
"""An edit of the cluster file that is in certificates, too, is not rolled out, planned or scripted before `pki gen` has followed it."""
import json
import re
import subprocess

import pytest

FIRST = "hardway: the certificates do not fit hardway.yaml, or have expired: run hardway pki gen first\n"

# what is edited, and what is said then
EDITS = {
    "vip": ((r"  address: 10\.77\.0\.10 ", "  address: 10.77.0.9 "),
            r"pki/nodes/c0/pki/apiserver.crt and 2 more: lacks the name 10\.77\.0\.9$"),
    "name": (("# names: .*", "names: [k8s.home.lan]"), r"pki/nodes/c0/pki/apiserver.crt and 2 more: lacks the name k8s\.home\.lan$"),
    "further name": ((r"  days: 365\n", "  days: 365\n  extra_sans: [ 10.77.0.9 ]\n"), r"pki/nodes/c0/pki/apiserver.crt and 2 more: lacks the name 10\.77\.0\.9$"),
    "node's address": ((r"address: 10\.77\.0\.21", "address: 10.77.0.23"), r"pki/nodes/c0/pki/apiserver.crt and \d more: lacks the name 10\.77\.0\.23$"),
    "port": (("port: 6443", "port: 7443"), r"admin.conf and 1 more: points at https://10\.77\.0\.10:6443, not https://10\.77\.0\.10:7443$"),
}


def edit(hardway, pattern, replacement):
    text = hardway.cluster.read_text()
    changed = re.sub(pattern, replacement, text, count=1)
    assert changed != text, text
    hardway.cluster.write_text(changed)


def add_sans(hardway, *names):
    text = re.sub(r"  extra_sans: .*\n", "", hardway.cluster.read_text())
    more = f"  extra_sans: [ {', '.join(names)} ]\n" if names else ""
    hardway.cluster.write_text(text.replace("  days: 365\n", "  days: 365\n" + more))


@pytest.fixture(name="made")
def made_fixture(cluster):
    cluster("pki", "gen")
    return cluster


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_waits_for_pki_gen(made, what):
    made("plan", "--offline")
    edit(made, *EDITS[what][0])
    said = None
    for words in (["plan", "--offline"], ["plan", "--output", "tree"], ["plan", "--script", "--offline", "--node", "c0"], ["plan"],
                  ["install"], ["install", "--dry-run"], ["install", "--node", "lb0"], ["etcd", "replace", "c0"]):
        result = made(*words, status=65)
        assert result.out == "" and result.err.startswith(FIRST), result
        assert re.search(EDITS[what][1], result.err, re.M), result
        assert said in (None, result.err), "the same is said of all"
        said = result.err
    assert not (made.directory / "tree").exists()
    made("pki", "gen")
    made("plan", "--offline")
    made("plan", "--output", "tree")


def test_a_name_that_was_taken_out_is_only_said(made):
    """It does no harm: a node that leaves the cluster file is one."""
    add_sans(made, "10.77.0.9")
    made("pki", "gen")
    add_sans(made)
    word = "warning: pki/nodes/c0/pki/apiserver.crt and 2 more: still has the name 10.77.0.9 (hardway pki gen)\n"
    assert word in made("plan", "--offline").err
    edit(made, "port: 6443", "port: 7443")
    result = made("plan", "--offline", status=65)
    assert result.err.startswith(FIRST) and "10.77.0.9" not in result.err, result
    made("pki", "gen")
    assert "10.77.0.9" not in made("plan", "--offline").err


def test_the_way_to_another_vip(made):
    """With both names first; then the VIP moves without a certificate that would have to change, and in the end the old one goes."""
    def certificate():
        return (made.directory / "pki/nodes/c0/pki/apiserver.crt").read_bytes()

    add_sans(made, "10.77.0.9")
    assert "3 reissued" in made("pki", "gen").out
    both = certificate()
    edit(made, *EDITS["vip"][0])
    add_sans(made, "10.77.0.10")
    # where kubeconfigs point is said, too
    assert "admin.conf and 1 more: points at https://10.77.0.10:6443" in made("plan", "--offline", status=65).err
    made("pki", "gen")
    assert certificate() == both, "the names are the same"
    made("plan", "--offline")
    add_sans(made)
    made("pki", "gen")
    assert certificate() != both
    made("plan", "--offline")


def test_another_type_of_key_does_not_keep_anybody(made):
    """It works as it is; `pki renew --changed` brings the new one, proven node by node."""
    edit(made, "key: ec:p256", "key: ec:p384")
    made("plan", "--offline")


def test_a_foreign_ca_is_found(made):
    for name in ("ca.crt", "ca.key"):
        (made.directory / "pki" / name).rename(made.directory / "pki" / f"old-{name}")
    for path in (made.directory / "pki/nodes").rglob("*"):
        if path.is_file():
            path.rename(path.with_name("kept-" + path.name))
    for name in ("admin.conf", "super-admin.conf"):
        (made.directory / name).unlink()
    made("pki", "gen")
    for path in (made.directory / "pki/nodes").rglob("kept-apiserver.*"):
        path.rename(path.with_name(path.name.removeprefix("kept-")))
    said = made("plan", "--offline", status=65).err
    assert re.search(r"apiserver.crt and 2 more: (its signature is not that of the CA|is not issued by)", said), said


def test_check_of_the_store_says_the_way(made):
    edit(made, *EDITS["vip"][0])
    said = made("pki", "check", "--no-nodes", status=1)
    assert "lacks the name 10.77.0.9" in said.out and "hardway pki gen issues it anew, hardway install brings it" in said.out
    assert "pki renew" not in said.out
    made("pki", "gen")
    made("pki", "check", "--no-nodes")


def test_check_finds_it(made):
    """Whether nodes can be reached or not."""
    edit(made, *EDITS["vip"][0])
    said = made("check", "--json", status=None, env={"PATH": "/nowhere"})
    [found] = [check for check in json.loads(said.out)["checks"] if check["id"] == "certificates"]
    assert found["state"] == "failed" and "10.77.0.9" in found["advice"], found


def test_explain_says_it(made):
    assert "hardway pki gen" in made("explain", "endpoint.address").out


def test_a_renamed_node_is_another_one(made):
    edit(made, "name: c0", "name: master-0")
    hint = "hardway.yaml has no node c0 any more (./pki/nodes/c0). If that was renamed: by another name it is another node, see CHANGES"
    assert hint in made("pki", "gen", "--dry-run").out
    assert hint in made("pki", "gen").out
    assert "c0" not in made("pki", "gen").out


def test_what_has_expired_is_made_anew_first(made):
    """Whatever an install restarts with it would not come up again, and nobody could connect to it."""
    pki, leaf = made.directory / "pki", made.directory / "pki/nodes/c0/pki/apiserver-kubelet-client"
    (made.directory / "extensions").write_text("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                                               "extendedKeyUsage=clientAuth\n")
    subprocess.run(f"openssl req -new -key {leaf}.key -subj /CN=kube-apiserver-kubelet-client | openssl x509 -req -CA {pki}/ca.crt "
                   f"-CAkey {pki}/ca.key -set_serial 7 -days 0 -extfile extensions -out {leaf}.crt",
                   shell=True, check=True, capture_output=True, cwd=made.directory)
    for words in (["install"], ["plan", "--offline"]):
        result = made(*words, status=65)
        assert result.err.startswith(FIRST) and re.search(r"^  pki/nodes/c0/pki/apiserver-kubelet-client.crt: has expired on 20", result.err, re.M), result
    assert "1 reissued" in made("pki", "gen").out
    made("plan", "--offline")
