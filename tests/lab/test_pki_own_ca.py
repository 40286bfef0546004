# SPDX-License-Identifier: LGPL-2.1-or-later
"""A cluster whose three CAs are intermediate ones of somebody's own, the keys of them all kept elsewhere."""
import glob
import json
import os
import subprocess

import pytest

from lab import CONTROLLERS, VIP, await_true

EXTENSIONS = """\
[root]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[issuing]
basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,digitalSignature,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[person]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=clientAuth
"""


def openssl(*argv, cwd=None):
    subprocess.run(["openssl", *argv], check=True, cwd=cwd, capture_output=True)


def certify(where, name, issuer, extensions, subject):
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", subject, cwd=where)
    by = ["-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key", "-CAcreateserial"] if issuer else ["-signkey", f"{name}.key"]
    openssl("x509", "-req", "-in", f"{name}.csr", *by, "-days", "2000", "-extfile", "ext.cnf", "-extensions", extensions,
            "-out", f"{name}.crt", cwd=where)


@pytest.fixture(scope="module", name="own")
def own_fixture(make_shared_lab, tmp_path_factory):
    """The lab, installed; and the directory of the authorities."""
    where = tmp_path_factory.mktemp("authorities")
    (where / "ext.cnf").write_text(EXTENSIONS)
    certify(where, "root", None, "root", "/O=Example/CN=Example root")
    lab = make_shared_lab("own")
    lab.init()
    for word, name in ("cluster", "ca"), ("etcd", "etcd/ca"), ("front-proxy", "front-proxy-ca"):
        certify(where, word, "root", "issuing", f"/O=Example/CN=Example {word}")
        lab.hardway("pki", "import-ca", word, "--cert", f"{where}/{word}.crt", "--chain", f"{where}/root.crt")
    lab.hardway("pki", "gen")
    requests = json.loads(lab.hardway("pki", "csr", "--json").out)["requests"]
    words = {"ca": "cluster", "etcd/ca": "etcd", "front-proxy-ca": "front-proxy"}
    for i, request in enumerate(requests):
        ca = words[request["ca"]]
        openssl("x509", "-req", "-in", os.path.join(lab.directory, request["path"]), "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key",
                "-CAcreateserial", "-days", "300", "-copy_extensions", "copy", "-out", f"answer-{i}.crt", cwd=where)
    lab.hardway("pki", "import", *sorted(glob.glob(f"{where}/answer-*.crt")))
    lab.hardway("fetch")
    lab.hardway("install")
    return lab, where


def test_it_works(own):
    lab, _ = own
    lab.verify()
    tree = lab.hardway("pki", "check", "--json").json
    assert tree["status"] == 0
    assert lab.kubectl("get", "--raw", "/readyz").out.strip() == "ok"
    lab.kubectl("create", "namespace", "own-ca")


def test_load_balancers_trust_it(own):
    """Their checks insist on a root; were it missing, no apiserver would be up."""
    lab, _ = own
    checks = {c["id"]: c for c in lab.hardway("verify", "--json").json["checks"]}
    backends = [c for i, c in checks.items() if i.startswith("lb.backends")]
    assert backends and all(c["state"] == "ok" for c in backends)


@pytest.mark.parametrize("bundle", ["root.crt", None])
def test_a_client_that_knows_little(own, bundle):
    """One that knows the company's root alone is shown the rest; one with ca.crt needs no root."""
    lab, where = own
    ca = f"{where}/{bundle}" if bundle else "pki/ca.crt"
    partial = [] if bundle else ["-partial_chain"]
    out = lab.enter("sh", "-c", f"openssl s_client -connect {VIP}:6443 -verify_return_error -CAfile {ca} {' '.join(partial)} "
                    "-verify_ip 10.77.0.10 </dev/null 2>&1", check=False).out
    assert "Verify return code: 0 (ok)" in out, out


def test_others_of_the_company_are_strangers(own):
    """Whoever has a certificate of something above the CA, or of a sister of it, is nobody here."""
    lab, where = own
    certify(where, "sister", "root", "issuing", "/O=Example/CN=Example sister")
    certify(where, "by-root", "root", "person", "/O=system:masters/CN=boss")
    certify(where, "by-sister", "sister", "person", "/O=system:masters/CN=boss")
    (where / "by-sister.chain").write_text((where / "by-sister.crt").read_text() + (where / "sister.crt").read_text())
    for certificate, key in ("by-root.crt", "by-root.key"), ("by-sister.chain", "by-sister.key"):
        out = lab.enter("curl", "--silent", "--cacert", "pki/ca.crt", "--cert", f"{where}/{certificate}", "--key", f"{where}/{key}",
                        "--write-out", "%{http_code}", f"https://{VIP}:6443/api/v1/secrets", check=False).out
        assert out.endswith("401") or out.endswith("403") or out == "000", out


def test_no_key_on_the_nodes(own):
    lab, _ = own
    for node in CONTROLLERS:
        assert lab.sh(node, "find / -xdev -name ca.key 2>/dev/null").out == ""
        await_true("the controller manager", lambda n=node: "active" in lab.sh(n, "systemctl is-active kube-controller-manager",
                                                                              check=False).out)
        assert "cluster-signing" not in lab.sh(node, "cat /etc/systemd/system/kube-controller-manager.service").out
    assert lab.kubectl("get", "configmap", "-n", "own-ca", "kube-root-ca.crt", "-o", "jsonpath={.data.ca\\.crt}").out.count("BEGIN") == 2
