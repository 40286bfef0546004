# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of the store that are not what they should be: each is named, and nothing is made or replaced by a guess."""
import os
import re

import pytest

from test_pki import HARDWAY, gen, run, snapshot, write_cluster

LEAF = "nodes/c0/pki/apiserver"


@pytest.fixture(name="store")
def store_fixture(tmp_path):
    write_cluster(tmp_path)
    gen(tmp_path)
    return tmp_path


def refused(store, file, words):
    """gen and csr do not touch it and say which file it is; check tells of it, too."""
    before = snapshot(store)
    for verb in ["gen"], ["gen", "--dry-run"], ["csr"]:
        result = run(HARDWAY, "pki", *verb, "-c", f"{store}/hardway.yaml", check=False)
        assert result.returncode in (65, 75), result
        assert re.search(words, result.stderr), (words, result.stderr)
        assert file in result.stderr, result.stderr
        assert snapshot(store) == before
    result = run(HARDWAY, "pki", "check", "--no-nodes", "-q", "-c", f"{store}/hardway.yaml", check=False)
    assert result.returncode == 2 and re.search(words, result.stdout), result.stdout
    assert snapshot(store) == before


def pem(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


FORMS = [
    ("truncated", lambda t: t[:len(t) // 2], "is cut off"),
    ("without its end", lambda t: t.rsplit("-----END", 1)[0], "is cut off"),
    ("concatenated", lambda t: t + t, "one PEM block"),
    ("CRLF", lambda t: t.replace("\n", "\r\n"), r"CR LF"),
    ("empty", lambda t: "", "is empty"),
    ("with a remark", lambda t: "remark\n" + t, "one PEM block"),
    ("a line less", lambda t: "".join(t.splitlines(keepends=True)[:1] + t.splitlines(keepends=True)[2:]), "is damaged"),
    ("no base64", lambda t: t.replace("\nM", "\n%", 1), "is damaged"),
    ("UTF-16", lambda t: t.encode("utf-16").decode("latin-1"), "is binary|is not PEM"),
]


@pytest.mark.parametrize("file", ["ca.crt", "ca.key", "etcd/ca.crt", "sa.key", "sa.pub", f"{LEAF}.crt", f"{LEAF}.key"])
def test_forms(store, file):
    path = store / "pki" / file
    good = path.read_text()
    for what, spoil, words in FORMS:
        path.write_text(spoil(good), encoding="latin-1", newline="")
        refused(store, file, words)
    path.write_text(good)
    kind = {"key": "pkey", "pub": "pkey"}.get(file[-3:], "x509")
    der = run("openssl", kind, *(["-pubin"] if file.endswith("pub") else []), "-in", str(path), "-outform", "DER", "-out", str(store / "der"))
    assert der.returncode == 0
    path.write_bytes((store / "der").read_bytes())
    refused(store, file, "is DER, not PEM")
    path.write_text(good)
    assert "nothing to do" in gen(store).stdout


def test_encrypted(store):
    """A passphrase protects the key of a CA; no other file may be so, and what is called a CA's has to be one."""
    for name, words in ("sa", "passphrase, which is not supported"), (LEAF, "passphrase, which is not supported"):
        path = store / f"pki/{name}.key"
        good = path.read_text()
        run("openssl", "pkcs8", "-topk8", "-in", str(path), "-passout", "pass:x", "-out", str(store / "sealed"))
        path.write_text(pem(store / "sealed"))
        refused(store, f"{name}.key", words)
        path.write_text(good)
    # The older way, with a header inside.
    path = store / "pki/ca.key"
    run("openssl", "ec", "-in", str(path), "-aes128", "-passout", "pass:x", "-out", str(store / "older"))
    path.write_text(pem(store / "older"))
    refused(store, "ca.key", "passphrase, which is not supported")


def test_wrong_kind(store):
    pki = store / "pki"
    for file, other, words in (("ca.crt", "ca.key", "holds a PRIVATE KEY where a CERTIFICATE"), ("ca.key", "ca.crt", "holds a CERTIFICATE"),
                               ("sa.pub", "ca.crt", "holds a CERTIFICATE where a PUBLIC KEY"), ("ca.crt", f"{LEAF}.crt", "does not belong|not the certificate of a CA")):
        good = (pki / file).read_text()
        (pki / file).write_text(pem(pki / other))
        refused(store, file, words)
        (pki / file).write_text(good)


def test_wrong_key(store):
    pki = store / "pki"
    for name in "ca", "etcd/ca", LEAF, "sa":
        good = (pki / f"{name}.key").read_text()
        (pki / f"{name}.key").write_text(pem(pki / "nodes/c1/pki/apiserver.key"))
        refused(store, "sa.pub" if name == "sa" else f"{name}.key", "does not belong to")
        (pki / f"{name}.key").write_text(good)
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", str(pki / f"{LEAF}.key"))
    refused(store, f"{LEAF}.key", "a type that is not supported")
    run("openssl", "ecparam", "-name", "secp521r1", "-genkey", "-noout", "-out", str(pki / f"{LEAF}.key"))
    refused(store, f"{LEAF}.key", "a type that is not supported")


def test_same_serial(store):
    """A certificate that lies in two places, and two with one number."""
    pki = store / "pki"
    for ending in "crt", "key":
        (pki / f"nodes/c1/pki/scheduler.{ending}").write_text(pem(pki / f"nodes/c0/pki/scheduler.{ending}"))
    refused(store, "nodes/c1/pki/scheduler.crt", "is the certificate of .*nodes/c0/pki/scheduler.crt")
    serial = run("openssl", "x509", "-in", str(pki / "nodes/c0/pki/scheduler.crt"), "-noout", "-serial").stdout.strip().split("=")[1]
    sign(store, "nodes/c1/pki/scheduler", "ca", "-set_serial", f"0x{serial}")
    refused(store, "nodes/c1/pki/scheduler.crt", "has the serial number of .*nodes/c0/pki/scheduler.crt")


def sign(store, name, ca, *options, extensions="basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
         "extendedKeyUsage=serverAuth\nsubjectAltName=DNS:c1,DNS:localhost,IP:127.0.0.1\n"):
    """Puts another certificate in the place of one, for the same key, as openssl makes it."""
    pki = store / "pki"
    (store / "ext").write_text(extensions)
    run("openssl", "req", "-new", "-key", str(pki / f"{name}.key"), "-subj", "/CN=kube-scheduler", "-out", str(store / "csr"))
    run("openssl", "x509", "-req", "-in", str(store / "csr"), "-CA", str(pki / f"{ca}.crt"), "-CAkey", str(pki / f"{ca}.key"), "-extfile",
        str(store / "ext"), "-out", str(pki / f"{name}.crt"), *(options or ["-CAcreateserial"]))
    for path in store.glob("pki/*.srl"):
        path.unlink()


def test_what_is_certain_is_made_again(store):
    """No guess: a certificate that is no good for what it is there for is issued again, and it is said why."""
    name, usual = "nodes/c1/pki/scheduler", "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
    names = "subjectAltName=DNS:c1,DNS:localhost,IP:127.0.0.1\n"
    for ca, options, extensions, words in (
            ("ca", (), usual + names + "extendedKeyUsage=clientAuth\n", "may not be used by servers"),
            ("ca", (), usual + names + "extendedKeyUsage=serverAuth,clientAuth\n", "may be used by clients"),
            ("ca", (), usual + names, "may not be used by servers"),
            ("etcd/ca", (), usual + names + "extendedKeyUsage=serverAuth\n", "is not issued by the CA CN=kubernetes"),
            ("ca", ("-days", "0"), usual + names + "extendedKeyUsage=serverAuth\n", "has expired on|expires within a day"),
            ("ca", (), usual + "extendedKeyUsage=serverAuth\n", "lacks the name"),
            ("ca", (), "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n" + names, "is a CA")):
        sign(store, name, ca, *(options + ("-CAcreateserial",)), extensions=extensions)
        before = snapshot(store)
        assert re.search(words, gen(store, "--dry-run").stdout), words
        assert snapshot(store) == before
        result = gen(store)
        assert re.search(rf"reissued +{name} .*{words}", result.stdout), (words, result.stdout)
        changed = {os.path.relpath(p, store / "pki") for p, c in snapshot(store).items() if before.get(p) != c}
        assert changed == {f"{name}.crt", f"{name}.key", "history"}


def test_authority_out_of_date(store):
    """A CA is never replaced: expired, or not valid yet, it is an error."""
    pki = store / "pki"
    config = "[ca]\ndefault_ca=x\n[x]\nnew_certs_dir=.\ndatabase=index\nserial=serial\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n" \
             "[v]\nbasicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,digitalSignature,keyCertSign\nsubjectKeyIdentifier=hash\n"
    work = store / "work"
    work.mkdir()
    for start, end, words in ("20200101000000Z", "20210101000000Z", "has expired on 2021-01-01"), ("20980101000000Z", "20990101000000Z", "is valid from 2098-01-01"):
        (work / "cnf").write_text(config)
        (work / "index").write_text("")
        (work / "serial").write_text("01\n")
        run("openssl", "req", "-new", "-key", str(pki / "ca.key"), "-subj", "/CN=kubernetes", "-out", str(work / "csr"))
        run("sh", "-c", f"cd {work} && openssl ca -batch -config cnf -selfsign -keyfile {pki}/ca.key -in csr -extensions v -startdate {start} "
            f"-enddate {end} -notext -out {pki}/ca.crt")
        refused(store, "ca.crt", words)


def test_kubeconfig(store):
    path = store / "pki/nodes/c0/scheduler.conf"
    good = path.read_text()
    for text, words in ((good[:len(good) // 2], "scheduler.conf"), ("", "is empty"), (good.replace("users:", "users: ["), "scheduler.conf"),
                        (good.replace('client-key-data: "', 'client-key-data: "AAAA'), "not PEM|one PEM block|base64|damaged"),
                        (good + good, "scheduler.conf")):
        path.write_text(text)
        refused(store, "scheduler.conf", words)
    other = pem(store / "pki/nodes/c1/scheduler.conf")
    key = re.search('client-key-data: "(.*)"', other).group(0)
    path.write_text(re.sub('client-key-data: ".*"', key, good))
    refused(store, "scheduler.conf", "does not belong to its certificate")


def test_secrets(store):
    for name in "identity", "encryption-key":
        path = store / "secrets" / name
        good = path.read_text()
        for text in good[:-4], "", good + good, "no text of this kind":
            path.write_text(text)
            refused(store, f"secrets/{name}", "does not hold .* bytes in|line 1 (is empty|begins with no number)")
        path.write_text(good)
    for text in f"{good}\n{good}", f"2 {good}\n\n{good}", f"1 {good}":
        path.write_text(text)
        refused(store, "secrets/encryption-key", "line [12] (has the number of another|is empty|begins with no number)")
