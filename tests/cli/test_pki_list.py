# SPDX-License-Identifier: LGPL-2.1-or-later
"""`hardway pki list`: what is in the store, and where it goes."""
import glob
import json
import os
import subprocess

from test_pki import HARDWAY, gen, names_of, run, snapshot, write_cluster


def pki_list(directory, *options, check=True):
    return run(HARDWAY, "pki", "list", "-c", f"{directory}/hardway.yaml", *options, check=check)


def entries(directory, *names):
    return {e["name"]: e for e in json.loads(pki_list(directory, "--json", *names).stdout)["entries"]}


def test_every_file_is_listed(tmp_path):
    write_cluster(tmp_path)
    gen(tmp_path)
    before = snapshot(tmp_path)
    listed = entries(tmp_path)
    files = {f for e in listed.values() for f in e["files"]}
    made = {p for p in glob.glob(f"{tmp_path}/pki/**", recursive=True) + glob.glob(f"{tmp_path}/secrets/*")
            + glob.glob(f"{tmp_path}/*.conf") if os.path.isfile(p)}
    assert files == made - {f"{tmp_path}/pki/history"}  # of the store itself
    assert all(e["state"] == "valid" and "problem" not in e and e["why"] for e in listed.values())
    assert any(e["why"].startswith("Who kube-scheduler is to the apiserver") for e in listed.values())
    assert snapshot(tmp_path) == before


def test_as_openssl_reads_it(tmp_path):
    write_cluster(tmp_path)
    gen(tmp_path)
    for name, entry in entries(tmp_path, "ca", "nodes/c1/pki/apiserver", "nodes/c1/pki/etcd/peer").items():
        path = f"{tmp_path}/pki/{name}.crt"
        text = run("openssl", "x509", "-in", path, "-noout", "-serial", "-fingerprint", "-sha256").stdout
        assert f"serial={entry['serial'].upper()}" in text
        assert entry["fingerprint"] == text.split("Fingerprint=")[1].strip().replace(":", "").lower()
        dns, addresses = names_of(path)
        assert (entry["dns_names"], entry["addresses"]) == (dns, addresses)
        assert entry["key"] == "ec:p256"


def test_places_are_those_of_the_plan(tmp_path):
    """Each file that `plan --output` makes of the store is where the list says, and no other."""
    write_cluster(tmp_path)
    gen(tmp_path)
    run(HARDWAY, "plan", "-c", f"{tmp_path}/hardway.yaml", "--output", f"{tmp_path}/out", "--secrets")
    planned = {}
    for path in glob.glob(f"{tmp_path}/out/**", recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as f:
                planned[os.path.relpath(path, f"{tmp_path}/out")] = f.read()
    store = {}
    for entry in entries(tmp_path).values():
        for place in entry["places"]:
            store.setdefault(f"{place['node']}{place['path']}", entry)
    for place, entry in store.items():
        assert place in planned
        if not entry["name"].startswith("secrets/"):
            candidates = []
            for file in entry["files"]:
                with open(file, "rb") as f:
                    candidates.append(f.read())
            assert planned[place] in candidates, place
    pem = {p for p, content in planned.items() if b"\n-----BEGIN" in b"\n" + content}  # not scripts that look for it
    assert pem <= set(store)
    key = [p for p in entries(tmp_path, "ca")["ca"]["places"] if p["path"].endswith("ca.key")]
    assert {p["node"] for p in key} == {"c0", "c1", "c2"}
    assert key[0]["units"] == ["kube-controller-manager.service"]
    assert not entries(tmp_path, "admin")["admin"]["places"]


def test_people(tmp_path):
    write_cluster(tmp_path)
    gen(tmp_path)
    table = pki_list(tmp_path).stdout
    line = next(l for l in table.splitlines() if l.startswith("nodes/c0/pki/scheduler "))
    assert "CN=kube-scheduler" in line and "/etc/kubernetes/pki/scheduler.{crt,key} on c0" in line
    one = pki_list(tmp_path, "sa").stdout
    assert one.startswith("sa: key pair, valid\n") and "for kube-apiserver, kube-controller-manager" in one
    result = pki_list(tmp_path, "nodes/c0/pki/apisrver", check=False)
    assert result.returncode == 64 and "did you mean 'nodes/c0/pki/apiserver'" in result.stderr


def test_what_is_wrong_is_said(tmp_path):
    """One broken file hides nothing of the others."""
    write_cluster(tmp_path)
    assert {e["state"] for e in entries(tmp_path).values()} == {"missing"}
    gen(tmp_path)
    key = tmp_path / "pki/nodes/c0/pki/apiserver.key"
    key.write_bytes(key.read_bytes()[:60])
    (tmp_path / "pki/nodes/c1/scheduler.conf").unlink()
    (tmp_path / "pki/etcd/ca.crt").unlink()
    path = tmp_path / "hardway.yaml"
    path.write_text(path.read_text().replace("k8s.home.lan", "other.lan"))
    listed = entries(tmp_path)
    assert listed["nodes/c0/pki/apiserver"]["state"] == "broken"
    assert "is cut off" in listed["nodes/c0/pki/apiserver"]["problem"]
    assert listed["nodes/c1/scheduler"]["state"] == "missing"
    assert listed["nodes/c1/pki/apiserver"]["state"] == "due"
    assert "lacks the name other.lan" in listed["nodes/c1/pki/apiserver"]["problem"]
    assert listed["etcd/ca"]["state"] == "broken" and "restore it from a backup" in listed["etcd/ca"]["problem"]
    assert listed["nodes/c2/pki/scheduler"]["state"] == "valid"
    assert [p["path"] for p in listed["nodes/c0/pki/apiserver"]["places"]]


def test_no_key_is_shown(tmp_path):
    write_cluster(tmp_path)
    gen(tmp_path)
    with subprocess.Popen([HARDWAY, "pki", "list", "-v", "-c", f"{tmp_path}/hardway.yaml"],
                          stdout=subprocess.PIPE, text=True) as child:
        output = child.communicate()[0]
    output += pki_list(tmp_path, "--json").stdout
    assert "PRIVATE" not in output
    for path in glob.glob(f"{tmp_path}/pki/**/*.key", recursive=True):
        with open(path, encoding="utf-8") as f:
            assert f.read().splitlines()[1] not in output
    for path in glob.glob(f"{tmp_path}/secrets/*"):
        with open(path, encoding="utf-8") as f:
            assert f.read().strip() not in output
