# SPDX-License-Identifier: LGPL-2.1-or-later
"""The store that `hardway pki gen` makes, judged by another implementation: the openssl command."""
import base64
import glob
import ipaddress
import os
import random
import re
import shutil
import signal
import subprocess
import time

import pytest

HARDWAY = os.path.realpath(os.environ["HARDWAY"])
TIER = os.environ.get("HARDWAY_TEST_TIER", "normal")

CLUSTER = """\
cluster: {name}
endpoint: {{ address: 10.77.0.10, names: [ k8s.home.lan ] }}
network: {{ domain: {domain} }}
certificates: {{ key: "{key}" }}
nodes:
{nodes}
  - {{ name: lb-0, address: 10.77.0.11, roles: [loadbalancer] }}
  - {{ name: lb-1, address: 10.77.0.12, roles: [loadbalancer] }}
"""


def run(*argv, check=True, env=None):
    result = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
    if check:
        assert result.returncode == 0, f"{argv}: {result.returncode}\n{result.stdout}{result.stderr}"
    return result


def gen(directory, *options, check=True):
    return run(HARDWAY, "pki", "gen", "-c", f"{directory}/hardway.yaml", *options, check=check)


def write_cluster(directory, controllers=3, key="ec:p256", domain="cluster.local", name="pi"):
    """Writes a cluster file; returns the addresses of its controllers."""
    addresses = [f"10.77.0.{20 + i}" for i in range(controllers)]
    nodes = "\n".join(f'  - {{ name: c{i}, address: "{a}", roles: [controller] }}' for i, a in enumerate(addresses))
    with open(f"{directory}/hardway.yaml", "w", encoding="utf-8") as f:
        f.write(CLUSTER.format(name=name, key=key, domain=domain, nodes=nodes))
    return addresses


def verify(ca, certificate, *options):
    """What "openssl verify" says: True or False."""
    result = run("openssl", "verify", "-x509_strict", "-CAfile", ca, *options, certificate, check=False)
    return result.returncode == 0


def names_of(certificate):
    text = run("openssl", "x509", "-in", certificate, "-noout", "-ext", "subjectAltName", check=False).stdout
    dns = re.findall(r"DNS:([^,\s]+)", text)
    addresses = [str(ipaddress.ip_address(a)) for a in re.findall(r"IP Address:([^,\s]+)", text)]
    return dns, addresses


def same_key(certificate, key):
    public = run("openssl", "x509", "-in", certificate, "-noout", "-pubkey").stdout
    return public == run("openssl", "pkey", "-in", key, "-pubout").stdout


def split_kubeconfig(path, directory):
    """Writes the three PEM texts in a kubeconfig to files; returns their paths."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    paths = {}
    for member in "certificate-authority-data", "client-certificate-data", "client-key-data":
        data = re.search(rf'^ +{member}: "(.+)"$', text, re.MULTILINE).group(1)
        paths[member] = f"{directory}/{os.path.basename(path)}-{member}"
        with open(paths[member], "wb") as f:
            f.write(base64.b64decode(data, validate=True))
    return paths.values()


def issuer_of(path, pki):
    name = os.path.relpath(path, pki)
    if "/etcd/" in name or "apiserver-etcd-client" in name:
        return f"{pki}/etcd/ca.crt"
    return f"{pki}/front-proxy-ca.crt" if "front-proxy-client" in name else f"{pki}/ca.crt"


def purposes_of(path):
    name = os.path.basename(path)
    if "client" in name:
        return {"sslclient"}
    if name in ("server.crt", "peer.crt"):
        return {"sslserver", "sslclient"}
    return {"sslserver"}


def check_leaf(path, pki):
    ca, purposes = issuer_of(path, pki), purposes_of(path)
    for purpose in "sslserver", "sslclient":
        assert verify(ca, path, "-purpose", purpose) == (purpose in purposes), (path, purpose)
    for other in glob.glob(f"{pki}/*ca.crt") + [f"{pki}/etcd/ca.crt"]:
        assert verify(other, path) == (other == ca), (path, other)
    assert same_key(path, path.replace(".crt", ".key")), path

    dns, addresses = names_of(path)
    for name in dns:
        assert verify(ca, path, "-verify_hostname", name), (path, name)
    for address in addresses:
        assert verify(ca, path, "-verify_ip", address), (path, address)
    assert not verify(ca, path, "-verify_hostname", "wrong.example.org"), path
    assert not verify(ca, path, "-verify_ip", "192.0.2.1"), path
    if "sslserver" in purposes:
        assert dns and addresses, path


def check_leaf_briefly(path, pki):
    """One question that has to be answered with yes, one with no."""
    ca, purpose = issuer_of(path, pki), sorted(purposes_of(path))[-1]
    dns, addresses = names_of(path)
    names = ["-verify_hostname", dns[-1], "-verify_ip", addresses[-1]] if dns else []
    assert verify(ca, path, "-purpose", purpose, *names), path
    assert not verify(ca, path, "-purpose", purpose, "-verify_hostname", "wrong.example.org"), path


def check_kubeconfig(path, pki, tmp_path):
    ca, certificate, key = split_kubeconfig(path, tmp_path)
    with open(ca, encoding="utf-8") as a, open(f"{pki}/ca.crt", encoding="utf-8") as b:
        assert a.read() == b.read()
    assert verify(ca, certificate, "-purpose", "sslclient")
    assert not verify(ca, certificate, "-purpose", "sslserver")
    assert same_key(certificate, key)


def check_ca(path):
    text = run("openssl", "x509", "-in", f"{path}.crt", "-noout", "-text").stdout
    assert "CA:TRUE, pathlen:0" in text
    assert re.search(r"Key Usage: critical\n\s+Digital Signature, Certificate Sign, CRL Sign\n", text)
    assert same_key(f"{path}.crt", f"{path}.key")


def leafs_of(directory):
    leafs = sorted(glob.glob(f"{directory}/pki/nodes/**/*.crt", recursive=True))
    assert leafs
    return leafs


def check_briefly(directory, seed=0):
    """A sample of the certificates; all of them are looked at by test_every_certificate."""
    leafs = leafs_of(directory)
    for path in random.Random(seed).sample(leafs, 5):
        check_leaf_briefly(path, f"{directory}/pki")


def test_every_certificate(tmp_path):
    addresses = write_cluster(tmp_path)
    gen(tmp_path)
    pki = f"{tmp_path}/pki"

    for ca in "ca", "etcd/ca", "front-proxy-ca":
        check_ca(f"{pki}/{ca}")
    leafs = leafs_of(tmp_path)
    for path in leafs:
        # Those of c1 and c2 are made in the same way.
        if "/c0/" in path:
            check_leaf(path, pki)
        else:
            check_leaf_briefly(path, pki)
    serials = [run("openssl", "x509", "-in", path, "-noout", "-serial").stdout for path in leafs]
    assert len(set(serials)) == len(serials)
    for path in glob.glob(f"{pki}/nodes/**/*.conf", recursive=True) + glob.glob(f"{tmp_path}/*.conf"):
        check_kubeconfig(path, pki, tmp_path)
    for key in glob.glob(f"{pki}/**/*.key", recursive=True):
        run("openssl", "pkey", "-in", key, "-check", "-noout")
        assert os.stat(key).st_mode & 0o7777 == 0o600
    with open(f"{pki}/sa.pub", encoding="utf-8") as f:
        assert f.read() == run("openssl", "pkey", "-in", f"{pki}/sa.key", "-pubout").stdout


    dns, ips = names_of(f"{tmp_path}/pki/nodes/c1/pki/apiserver.crt")
    assert {"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
            "k8s.home.lan", "localhost", "c0", "c1", "c2"} <= set(dns)
    assert {"10.96.0.1", "10.77.0.10", "127.0.0.1", "::1", *addresses} <= set(ips)
    subject = run("openssl", "x509", "-in", f"{tmp_path}/pki/nodes/c1/pki/etcd/server.crt", "-noout", "-subject").stdout
    assert subject.strip() == "subject=CN = c1"


def random_cluster(seed):
    r = random.Random(seed)

    def word(longest):
        return "".join(r.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(r.randint(1, longest)))

    keys = ["ec:p256"] * 6 + ["ec:p384"] * 3 + ["rsa:2048"]
    sans = [r.choice([f"{word(20)}.{word(9)}", f"*.{word(12)}.example.org", f"192.0.2.{r.randint(1, 254)}",
                      str(ipaddress.IPv6Address(r.getrandbits(128)))]) for _ in range(r.randint(0, 6))]
    return {"controllers": r.choice([1, 3, 5, 7]), "key": r.choice(keys), "name": word(20), "sans": sans,
            "domain": r.choice(["cluster.local", f"{word(20)}.example.org"])}


def verified(paths, ca, *options):
    """Which of these certificates openssl accepts, in one go."""
    out = run("openssl", "verify", "-x509_strict", "-CAfile", ca, *options, *paths, check=False).stdout
    return {line[:-len(": OK")] for line in out.splitlines() if line.endswith(": OK")}


def check_all(directory):
    """Every certificate of a cluster: its purposes, its issuer, each of its names, and some that it has not."""
    pki = f"{directory}/pki"
    leafs = leafs_of(directory)
    for ca in f"{pki}/ca.crt", f"{pki}/etcd/ca.crt", f"{pki}/front-proxy-ca.crt":
        mine = [p for p in leafs if issuer_of(p, pki) == ca]
        assert verified(leafs, ca) == set(mine)
        for purpose in "sslserver", "sslclient":
            assert verified(mine, ca, "-purpose", purpose) == {p for p in mine if purpose in purposes_of(p)}
        names = {p: names_of(p) for p in mine}
        for option, which, wrong in ("-verify_hostname", 0, "wrong.example.net"), ("-verify_ip", 1, "198.51.100.1"):
            assert not verified(mine, ca, option, wrong)
            for name in sorted({n for found in names.values() for n in found[which]}):
                having = {p for p in mine if name in names[p][which]}
                assert verified(mine, ca, option, name.replace("*", "any", 1)) == having, name


@pytest.mark.parametrize("seed", range({"quick": 2, "long": 300}.get(TIER, 8)))
def test_random_clusters(tmp_path, seed):
    cluster = random_cluster(seed)
    sans = cluster.pop("sans")
    if cluster["key"].startswith("rsa"):
        cluster["controllers"] = 1
    write_cluster(tmp_path, **cluster)
    path = tmp_path / "hardway.yaml"
    listed = ", ".join(f'"{n}"' for n in sans)
    path.write_text(path.read_text().replace("certificates: {", f"certificates: {{ extra_sans: [{listed}],"))
    gen(tmp_path)
    check_all(tmp_path)
    assert set(sans) <= {n for found in names_of(f"{tmp_path}/pki/nodes/c0/pki/apiserver.crt") for n in found}
    # A store of mixed keys: what is there has the old type, and so have the CAs for good.
    if seed % 3 == 0 and not cluster["key"].startswith("rsa"):
        other = "ec:p384" if cluster["key"] == "ec:p256" else "ec:p256"
        path.write_text(path.read_text().replace(f'key: "{cluster["key"]}"', f'key: "{other}"'))
        assert f"its key is {cluster['key']}, not {other}" in gen(tmp_path).stdout
        check_all(tmp_path)


def snapshot(directory):
    """Every file but the locks, with its bytes and inode."""
    result = {}
    for path in sorted(glob.glob(f"{directory}/**", recursive=True, include_hidden=False)):
        if os.path.isfile(path):
            with open(path, "rb") as f:
                result[path] = (os.stat(path).st_ino, f.read())
    return result


def test_again_is_a_no_op(tmp_path):
    write_cluster(tmp_path)
    gen(tmp_path)
    before = snapshot(tmp_path)
    assert "nothing to do" in gen(tmp_path).stdout
    assert snapshot(tmp_path) == before


def test_one_name_more(tmp_path):
    write_cluster(tmp_path)
    gen(tmp_path)
    before = snapshot(tmp_path)
    path = tmp_path / "hardway.yaml"
    path.write_text(path.read_text().replace("k8s.home.lan", "k8s.home.lan, other.home.lan"))
    assert "lacks the name other.home.lan" in gen(tmp_path).stdout
    after = snapshot(tmp_path)
    changed = {os.path.relpath(p, tmp_path) for p in after if before.get(p) != after[p]}
    assert changed == {"hardway.yaml", "pki/history"} | {f"pki/nodes/c{i}/pki/apiserver.{e}" for i in range(3) for e in ("crt", "key")}


def test_each_change_is_an_edition(tmp_path):
    write_cluster(tmp_path)
    gen(tmp_path)
    gen(tmp_path)
    first = (tmp_path / "pki/history").read_text()
    assert re.fullmatch("1 [0-9a-f]{16}\n", first)
    for copy in ("a", "b"):  # two that both go on from here
        shutil.copytree(tmp_path, tmp_path.with_name(f"copy-{copy}"))
        (tmp_path.with_name(f"copy-{copy}") / "pki/nodes/c0/pki/apiserver.key").unlink()
        gen(tmp_path.with_name(f"copy-{copy}"))
    a, b = [(tmp_path.with_name(f"copy-{copy}") / "pki/history").read_text() for copy in ("a", "b")]
    assert re.fullmatch(first + "2 [0-9a-f]{16}\n", a) and re.fullmatch(first + "2 [0-9a-f]{16}\n", b) and a != b


def test_bad_file_is_named(tmp_path):
    write_cluster(tmp_path)
    gen(tmp_path)
    key = tmp_path / "pki" / "etcd" / "ca.key"
    key.write_bytes(key.read_bytes()[:100])
    before = snapshot(tmp_path)
    result = gen(tmp_path, check=False)
    assert result.returncode == 65
    assert "pki/etcd/ca.key: is cut off" in result.stderr
    assert snapshot(tmp_path) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small file system")
def test_disk_full(tmp_path):
    for size in 32, 64, 128:
        directory = tmp_path / str(size)
        directory.mkdir()
        run("mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(directory))
        try:
            write_cluster(directory)
            result = gen(directory, check=False)
            assert result.returncode == 74, result
            assert "No space left on device" in result.stderr
            assert not glob.glob(f"{directory}/**/*.key", recursive=True)
            run("mount", "-o", "remount,size=4m", str(directory))
            gen(directory)
            check_briefly(directory)
        finally:
            run("umount", str(directory))


def test_killed_at_any_time(tmp_path):
    write_cluster(tmp_path)
    delays = [i / 1000 for i in range(1, 40, 1 if TIER == "long" else 6)]
    for delay in delays:
        run("rm", "-rf", f"{tmp_path}/pki", f"{tmp_path}/secrets")
        for path in glob.glob(f"{tmp_path}/*.conf"):
            os.unlink(path)
        with subprocess.Popen([HARDWAY, "pki", "gen", "-c", f"{tmp_path}/hardway.yaml"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as child:
            time.sleep(delay)
            child.send_signal(signal.SIGKILL)
        gen(tmp_path)
        assert "nothing to do" in gen(tmp_path).stdout
        assert not glob.glob(f"{tmp_path}/**/.#*", recursive=True, include_hidden=True)


def interrupt(directory, *words):
    """Ctrl-C when the first key of an authority has been made; what was said."""
    with subprocess.Popen([HARDWAY, *words, "-c", f"{directory}/hardway.yaml"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as child:
        while not glob.glob(f"{directory}/pki/.#ca.key*", include_hidden=True):
            assert child.poll() is None, child.communicate()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=100)
    assert child.returncode == 75, (out, err)
    assert not glob.glob(f"{directory}/**/.#*", recursive=True, include_hidden=True)
    return err


def test_interrupted(tmp_path):
    """Keys of RSA take their time: what is made by then is kept, and the next run makes the others."""
    write_cluster(tmp_path, controllers=1, key="rsa:2048")
    err = interrupt(tmp_path, "pki", "gen")
    made, wanted = re.fullmatch(r"hardway: stopped as asked: (\d+) of (\d+) keys, certificates and secrets are made; "
                                r"the same command makes the others\n", err).groups()
    assert 0 < int(made) < int(wanted)
    before = {path: text for path, text in snapshot(tmp_path).items() if not path.endswith("/history")}
    assert f"{tmp_path}/pki/ca.key" in before
    gen(tmp_path)
    assert {path: text for path, text in snapshot(tmp_path).items() if path in before} == before
    check_briefly(tmp_path)
    assert "nothing to do" in gen(tmp_path).stdout


def test_two_at_once(tmp_path):
    write_cluster(tmp_path)
    children = [subprocess.Popen([HARDWAY, "pki", "gen", "-c", f"{tmp_path}/hardway.yaml"], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for child in children:
        _, errors = child.communicate()
        assert child.returncode in (0, 75), errors
    assert 0 in [child.returncode for child in children]
    check_briefly(tmp_path)
