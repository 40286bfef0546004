# SPDX-License-Identifier: LGPL-2.1-or-later
"""A CA of one's own: with its key, as an intermediate one, and with the key elsewhere. The CA is the openssl command."""
import glob
import json
import os
import re
import stat

import pytest

from test_pki import HARDWAY, check_leaf, gen, leafs_of, run, same_key, snapshot, split_kubeconfig, verify, write_cluster

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
[policy]
basicConstraints=critical,CA:TRUE,pathlen:1
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[narrow]
basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign
subjectKeyIdentifier=hash
nameConstraints=critical,permitted;DNS:corp.example
[no_ca]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
"""
NEW_KEY = {"ec:p256": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "ec:p384": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
           "rsa:2048": ("-newkey", "rsa:2048"), "rsa:3072": ("-newkey", "rsa:3072"), "rsa:1024": ("-newkey", "rsa:1024")}


class Authority:
    """CAs made with the openssl command, in a directory of their own."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir()
        (directory / "ext.cnf").write_text(EXTENSIONS)

    def path(self, name):
        return str(self.directory / name)

    def make(self, name, issuer=None, extensions="root", key="ec:p256", days=2000, digest="sha256"):
        run("openssl", "req", "-new", *NEW_KEY[key], "-nodes", "-keyout", self.path(f"{name}.key"), "-out", self.path(f"{name}.csr"),
            "-subj", f"/O=Example/CN={name}")
        by = ["-CA", self.path(f"{issuer}.crt"), "-CAkey", self.path(f"{issuer}.key"), "-CAcreateserial"] if issuer else \
             ["-signkey", self.path(f"{name}.key")]
        run("openssl", "x509", "-req", "-in", self.path(f"{name}.csr"), *by, "-days", str(days), f"-{digest}", "-extfile",
            self.path("ext.cnf"), "-extensions", extensions, "-out", self.path(f"{name}.crt"))
        return self.path(f"{name}.crt")

    def join(self, name, *parts):
        with open(self.path(name), "w", encoding="utf-8") as out:
            for part in parts:
                with open(self.path(f"{part}.crt"), encoding="utf-8") as f:
                    out.write(f.read())
        return self.path(name)

    def sign(self, request, ca, out, *more, extensions=None, days=300):
        """What a CA does with a request: it believes the extensions that are asked for, unless told others."""
        if extensions is None:
            copied = ["-copy_extensions", "copy"]
        else:
            (self.directory / "leaf.cnf").write_text("[leaf]\n" + extensions)
            copied = ["-extfile", self.path("leaf.cnf"), "-extensions", "leaf"]
        run("openssl", "x509", "-req", "-in", request, "-CA", self.path(f"{ca}.crt"), "-CAkey", self.path(f"{ca}.key"), "-CAcreateserial",
            "-days", str(days), *copied, "-out", str(out), *more)


@pytest.fixture(name="authority")
def authority_fixture(tmp_path):
    return Authority(tmp_path / "authority")


@pytest.fixture(name="store")
def store_fixture(tmp_path):
    directory = tmp_path / "cluster"
    directory.mkdir()
    write_cluster(directory)
    return directory


def pki(directory, verb, *options, status=0):
    result = run(HARDWAY, "pki", verb, *map(str, options), "-c", f"{directory}/hardway.yaml", check=False)
    assert result.returncode == status, result
    return result


def plan(directory, tmp_path):
    out = tmp_path / "out"
    run(HARDWAY, "plan", "-c", f"{directory}/hardway.yaml", "--output", str(out), "--secrets")
    return out


@pytest.mark.parametrize("key", ["ec:p256", "ec:p384", "rsa:2048", "rsa:3072"])
def test_root_with_key(authority, store, key):
    crt = authority.make("own", key=key)
    pki(store, "import-ca", "--cert", crt, "--key", authority.path("own.key"))
    before = {p: c for p, c in snapshot(store / "pki").items() if not p.endswith("/history")}
    assert stat.S_IMODE(os.stat(store / "pki/ca.key").st_mode) == 0o600
    gen(store)
    assert {p: c for p, c in snapshot(store / "pki").items() if p in before} == before
    for path in leafs_of(store):
        if "/c1/" in path:
            check_leaf(path, str(store / "pki"))
    assert "nothing to do" in gen(store).stdout
    assert "is the CA ca already" in pki(store, "import-ca", "--cert", crt, "--key", authority.path("own.key")).stdout


@pytest.mark.parametrize("order", ["issuer first", "with itself"])
def test_intermediate(authority, store, tmp_path, order):
    """Served with its chain; trusted by itself, not by what is above it."""
    authority.make("root")
    authority.make("policy", "root", "policy")
    authority.make("issuing", "policy", "issuing")
    authority.make("other", "policy", "issuing")
    parts = ["policy", "root"] if order == "issuer first" else ["issuing", "policy", "root"]
    pki(store, "import-ca", "--cert", authority.path("issuing.crt"), "--key", authority.path("issuing.key"), "--chain",
        authority.join("chain.pem", *parts))
    gen(store)
    assert "nothing to do" in gen(store).stdout
    for i in range(3):
        served = f"{store}/pki/nodes/c{i}/pki/apiserver.crt"
        with open(served, encoding="utf-8") as f:
            assert f.read().count("BEGIN CERTIFICATE") == 3
        # A client that knows the root alone, from what is served.
        assert verify(authority.path("root.crt"), served, "-untrusted", served, "-purpose", "sslserver", "-verify_hostname", "k8s.home.lan")
        # One that trusts ca.crt, as Go's and curl's do.
        assert verify(f"{store}/pki/ca.crt", served, "-partial_chain", "-purpose", "sslserver")
        assert not verify(authority.path("other.crt"), served, "-partial_chain")
    # Who is certified by the company is no user of the cluster: ca.crt is the issuing CA alone.
    with open(store / "pki/ca.crt", encoding="utf-8") as a, open(authority.path("issuing.crt"), encoding="utf-8") as b:
        assert a.read() == b.read()
    # Clients that insist on a root have it.
    ca, certificate, key = split_kubeconfig(store / "admin.conf", tmp_path)
    assert verify(ca, f"{store}/pki/nodes/c0/pki/apiserver.crt") and same_key(certificate, key)
    out = plan(store, tmp_path)
    bundle = authority.join("bundle.pem", "issuing", "policy", "root")
    with open(bundle, encoding="utf-8") as f:
        expected = f.read()
    assert (out / "lb-0/etc/haproxy/kube-ca.crt").read_text() == expected
    assert (out / "c0/etc/kubernetes/pki/ca-bundle.crt").read_text() == expected
    unit = (out / "c0/etc/systemd/system/kube-controller-manager.service").read_text()
    assert "--root-ca-file=%d/ca-bundle.crt" in unit and "--client-ca-file=%d/ca.crt" in unit
    # The other CAs are as ever.
    check_leaf(f"{store}/pki/nodes/c0/pki/etcd/server.crt", str(store / "pki"))


def refuse_import(store, words, *options):
    before = snapshot(store)
    result = pki(store, "import-ca", *options, status=65)
    assert re.search(words, result.stderr), result
    assert snapshot(store) == before


def test_refused(authority, store):
    own, other = authority.make("own"), authority.make("other")
    refuse_import(store, r"other\.key: does not belong to .*own\.crt", "--cert", own, "--key", authority.path("other.key"))
    refuse_import(store, "is not the certificate of a CA", "--cert", authority.make("leaf", "own", "no_ca"))
    refuse_import(store, "is no root, and the certificates above it are missing\n.*--chain", "--cert", authority.make("issuing", "own", "issuing"))
    refuse_import(store, "is not issued by O=Example, CN=other", "--cert", authority.path("issuing.crt"), "--chain", other)
    refuse_import(store, "is a root, and more certificates follow", "--cert", own, "--chain", other)
    authority.make("deep", "issuing", "issuing")
    refuse_import(store, "CN=issuing above it allows 0 CAs below it, not 1", "--cert", authority.path("deep.crt"), "--chain",
                  authority.join("deep.pem", "issuing", "own"))
    refuse_import(store, "has a key that is too weak", "--cert", authority.make("weak", key="rsa:1024"))
    refuse_import(store, "is signed with a digest", "--cert", authority.make("sha1", "own", "issuing", digest="sha1"), "--chain", own)
    refuse_import(store, "has to hold one PEM block", "--cert", authority.join("two.pem", "own", "other"))
    refuse_import(store, r"holds a PRIVATE KEY where a CERTIFICATE is expected", "--cert", authority.path("own.key"))
    assert not os.path.exists(store / "pki/ca.crt")

    pki(store, "import-ca", "--cert", own, "--key", authority.path("own.key"))
    refuse_import(store, "is another CA; .* pki rotate-ca", "--cert", other, "--key", authority.path("other.key"))
    refuse_import(store, "is the CA of .*/pki/ca.crt already", "etcd", "--cert", own, "--key", authority.path("own.key"))
    assert pki(store, "import-ca", "kluster", "--cert", own, status=64).stderr.count("cluster, front-proxy") == 1
    assert pki(store, "import-ca", status=64)


def test_name_constraints(authority, store):
    """A CA that may not certify the names of a cluster is found out when it is to do so."""
    authority.make("root")
    authority.make("narrow", "root", "narrow")
    pki(store, "import-ca", "--cert", authority.path("narrow.crt"), "--key", authority.path("narrow.key"), "--chain", authority.path("root.crt"))
    result = gen(store, check=False)
    assert result.returncode == 65 and "name constraints" in result.stderr
    assert not glob.glob(f"{store}/pki/nodes/**/*.crt", recursive=True)


def ask(store, *options):
    tree = json.loads(pki(store, "csr", "--json", *options).stdout)
    return {r["name"]: r for r in tree["requests"]}


@pytest.fixture(name="keyless")
def keyless_fixture(authority, store):
    """A store whose CA was imported without key, as an intermediate one, and all that can be made is."""
    authority.make("root")
    authority.make("issuing", "root", "issuing")
    pki(store, "import-ca", "--cert", authority.path("issuing.crt"), "--chain", authority.path("root.crt"))
    assert "hardway pki csr" in gen(store).stdout
    return store


def test_without_key(authority, keyless, tmp_path):
    requests = ask(keyless, "--output", tmp_path / "send")
    assert len(requests) == 2 + 3 * 6 and all(r["ca"] == "ca" and r["made"] for r in requests.values())
    assert len(os.listdir(tmp_path / "send")) == len(requests)
    for path in glob.glob(f"{keyless}/pki/requests/**/*.key", recursive=True):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    before = snapshot(keyless)
    assert not any(r["made"] for r in ask(keyless).values())
    assert snapshot(keyless) == before

    answers = []
    for request in sorted(os.listdir(tmp_path / "send")):
        run("openssl", "req", "-in", f"{tmp_path}/send/{request}", "-verify", "-noout")
        answers.append(tmp_path / f"{request}.crt")
        authority.sign(f"{tmp_path}/send/{request}", "issuing", answers[-1])
    first = json.loads(pki(keyless, "import", "--json", *answers[:5]).stdout)
    assert len(first["taken"]) == 5 and first["waits"] == len(requests) - 5
    # The rest in one file, as some CAs send it, with the CA itself among them.
    joined = tmp_path / "rest.pem"
    joined.write_text("".join(a.read_text() for a in answers[5:]) + open(authority.path("issuing.crt"), encoding="utf-8").read())
    assert len(json.loads(pki(keyless, "import", "--json", joined).stdout)["taken"]) == len(requests) - 5
    assert "Nothing was taken: what is given is here already" in pki(keyless, "import", *answers).stdout
    assert not glob.glob(f"{keyless}/pki/requests/**/*.*", recursive=True)
    assert "nothing to do" in gen(keyless).stdout
    assert not ask(keyless)

    for i in range(3):
        served = f"{keyless}/pki/nodes/c{i}/pki/apiserver.crt"
        assert verify(authority.path("root.crt"), served, "-untrusted", served, "-purpose", "sslserver", "-verify_hostname", "k8s.home.lan")
        assert same_key(served, served.replace(".crt", ".key"))
    ca, certificate, key = split_kubeconfig(keyless / "admin.conf", tmp_path)
    assert verify(ca, certificate, "-purpose", "sslclient") and same_key(certificate, key)
    assert json.loads(run(HARDWAY, "pki", "check", "--no-nodes", "--json", "-c", f"{keyless}/hardway.yaml").stdout)["status"] == 0
    # Nothing on the nodes signs in its name.
    out = plan(keyless, tmp_path)
    assert not glob.glob(f"{out}/*/etc/kubernetes/pki/ca.key")
    assert "cluster-signing" not in (out / "c0/etc/systemd/system/kube-controller-manager.service").read_text()


def test_wrong_answers(authority, keyless, tmp_path):
    requests = ask(keyless)
    apiserver, scheduler = requests["nodes/c0/pki/apiserver"]["path"], requests["nodes/c0/scheduler"]["path"]
    authority.make("root2")
    good, bad = tmp_path / "good.crt", tmp_path / "bad.crt"
    authority.sign(scheduler, "issuing", good)
    usual = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
    names = run("openssl", "req", "-in", apiserver, "-noout", "-text").stdout
    names = re.search(r"Subject Alternative Name: *\n *(.*)", names).group(1).replace("IP Address", "IP").replace(" ", "")
    wrong = [
        ("is not issued by the CA", "root2", None, ()),
        ("lacks the name localhost", "issuing", usual + "extendedKeyUsage=serverAuth\n", ()),
        ("still has the name evil.example", "issuing", usual + f"extendedKeyUsage=serverAuth\nsubjectAltName={names},DNS:evil.example\n", ()),
        ("may be used by clients", "issuing", usual + f"extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName={names}\n", ()),
        ("may not be used by servers", "issuing", usual + f"extendedKeyUsage=codeSigning\nsubjectAltName={names}\n", ()),
        ("is a CA", "issuing", f"basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectAltName={names}\n", ()),
        ('names "somebody"', "issuing", usual + f"extendedKeyUsage=serverAuth\nsubjectAltName={names}\n", ("-subj", "/CN=somebody")),
    ]
    before = snapshot(keyless)
    for words, ca, extensions, more in wrong:
        authority.sign(apiserver, ca, bad, *more, extensions=extensions)
        result = pki(keyless, "import", good, bad, status=65)
        assert words in result.stderr and str(bad) in result.stderr and "nodes/c0/pki/apiserver" in result.stderr, result
        assert snapshot(keyless) == before, words
    # Of another key, and cut off: both are told of.
    other = authority.make("stranger", "issuing", "no_ca")
    cut = tmp_path / "cut.crt"
    cut.write_text(good.read_text()[:200])
    result = pki(keyless, "import", other, cut, good, status=65)
    assert "certifies a key that was not asked for" in result.stderr and "is cut off" in result.stderr
    assert snapshot(keyless) == before
    assert "1 taken" in pki(keyless, "import", good).stdout


def test_key_comes_later(authority, store):
    """A CA that was imported without its key gets it."""
    crt = authority.make("own")
    pki(store, "import-ca", "--cert", crt)
    gen(store)
    ask(store)
    pki(store, "import-ca", "--cert", crt, "--key", authority.path("own.key"))
    assert "made" in gen(store).stdout
    assert "nothing to do" in gen(store).stdout
    assert not ask(store) and not glob.glob(f"{store}/pki/requests/**/*.*", recursive=True)
    check_leaf(f"{store}/pki/nodes/c0/pki/apiserver.crt", str(store / "pki"))


def test_a_name_more_without_key(authority, keyless, tmp_path):
    """What is in use stays so until the answer has come."""
    for i, (name, request) in enumerate(ask(keyless).items()):
        authority.sign(request["path"], "issuing", tmp_path / f"{i}.crt")
    pki(keyless, "import", *sorted(tmp_path.glob("*.crt")))
    path = keyless / "hardway.yaml"
    path.write_text(path.read_text().replace("k8s.home.lan", "k8s.home.lan, more.home.lan"))
    old = (keyless / "pki/nodes/c0/pki/apiserver.crt").read_text()
    assert "lacks the name more.home.lan; waits for ca" in gen(keyless).stdout
    requests = ask(keyless)
    assert set(requests) == {f"nodes/c{i}/pki/apiserver" for i in range(3)}
    assert (keyless / "pki/nodes/c0/pki/apiserver.crt").read_text() == old
    authority.sign(requests["nodes/c0/pki/apiserver"]["path"], "issuing", tmp_path / "new.pem")
    pki(keyless, "import", tmp_path / "new.pem")
    served = f"{keyless}/pki/nodes/c0/pki/apiserver.crt"
    assert verify(authority.path("root.crt"), served, "-untrusted", served, "-verify_hostname", "more.home.lan")
    assert same_key(served, served.replace(".crt", ".key"))


def test_hardways_own_ca_is_no_other(store):
    gen(store)
    said = pki(store, "import-ca", "--cert", store / "pki/ca.crt").stdout
    assert "is the CA ca already" in said and "without its key" not in said


def test_lost_key_is_no_external_one(store):
    """A key that is gone is an error, not a CA that lives elsewhere."""
    gen(store)
    os.unlink(store / "pki/ca.key")
    assert "restore it from a backup" in gen(store, check=False).stderr
    assert "restore it from a backup" in pki(store, "csr", status=65).stderr


def test_dry_run(authority, store):
    crt = authority.make("own")
    before = snapshot(store)
    assert "would be taken" in pki(store, "import-ca", "--dry-run", "--cert", crt).stdout
    assert snapshot(store) == before
    pki(store, "import-ca", "--cert", crt)
    gen(store)
    before = snapshot(store)
    assert all(r["made"] for r in ask(store, "--dry-run").values())
    assert snapshot(store) == before
