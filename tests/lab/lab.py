# SPDX-License-Identifier: LGPL-2.1-or-later
"""A lab and the hardway that drives it, as tests use them."""
import contextlib
import json
import os
import re
import shlex
import subprocess
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
CONTROLLERS = {"controller-0": "10.77.0.20", "controller-1": "10.77.0.21", "controller-2": "10.77.0.22"}
BALANCERS = {"lb-0": "10.77.0.11", "lb-1": "10.77.0.12"}
VIP = "10.77.0.10"


class Result:
    """What a command left: status, out, err, and how long it took."""

    def __init__(self, argv, status, out, err, seconds):
        self.argv, self.status, self.out, self.err, self.seconds = argv, status, out, err, seconds

    def __repr__(self):
        return f"$ {shlex.join(self.argv)}\nstatus {self.status} after {self.seconds:.1f} s\n{self.out}\n{self.err}"

    @property
    def json(self):
        """What --json has printed: a document, or the last of its events."""
        try:
            return json.loads(self.out)
        except json.JSONDecodeError:
            return json.loads(self.out.splitlines()[-1])

    @property
    def events(self):
        return [json.loads(line) for line in self.out.splitlines()]


def run(argv, timeout=600, env=None, cwd=None, text_input=None):
    start = time.monotonic()
    done = subprocess.run(
        argv, input=text_input, stdin=subprocess.DEVNULL if text_input is None else None, capture_output=True,
        text=True, errors="replace", timeout=timeout, env=env, cwd=cwd, check=False,
    )
    return Result(argv, done.returncode, done.stdout, done.stderr, time.monotonic() - start)


def await_true(what, question, seconds=60, pause=0.1):
    """Asks until the answer is true, and fails with what was awaited; returns the answer."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(pause)


class Lab:
    """A named lab. directory is the cluster directory of the hardway that drives it."""

    def __init__(self, name, directory, program):
        self.name, self.directory, self.program = name, str(directory), program
        self.env = dict(os.environ)
        self.wrapper = []  # put in front of hardway: a tracer, a limit

    def tool(self, tool, *arguments, check=True, timeout=600):
        result = run([os.path.join(TOP, "lab", tool), "--name", self.name, *arguments], timeout=timeout)
        assert not check or result.status == 0, result
        return result

    def up(self, hosts=None, image=None):
        hosts = hosts or {**CONTROLLERS, **BALANCERS}
        arguments = ["--hosts", " ".join(f"{name}={address}" for name, address in hosts.items())]
        self.tool("up", *arguments, *(["--image", image] if image else []), timeout=1800)

    def down(self):
        self.tool("down", check=False)

    def enter(self, *argv, host=None, check=True, timeout=600, text_input=None, cwd=None, env=None):
        """Runs argv on the driving machine in the lab's network, or as root in a host."""
        command = [os.path.join(TOP, "lab", "enter"), "--name", self.name, *([host] if host else []), "--", *argv]
        result = run(command, timeout=timeout, env=env or self.env, cwd=cwd or self.directory, text_input=text_input)
        assert not check or result.status == 0, result
        return result

    def sh(self, host, script, check=True, timeout=120, shell="sh"):
        return self.enter(shell, "-c", script, host=host, check=check, timeout=timeout)

    def start(self, *arguments, output=subprocess.DEVNULL):
        """The same as hardway(), but does not wait for it."""
        return subprocess.Popen([os.path.join(TOP, "lab", "enter"), "--name", self.name, "--", self.program, *arguments], cwd=self.directory,
                                env=self.env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, text=True)

    def read(self, name):
        with open(os.path.join(self.directory, name), encoding="utf-8") as file:
            return file.read()

    def hardway(self, *arguments, check=True, timeout=900, text_input=None, env=None, cwd=None):
        """Runs the built program in the cluster directory; check: it must succeed (True), or answer this status."""
        if arguments[:1] == ("fetch",) and {**self.env, **(env or {})}.get("HARDWAY_MIRROR"):
            arguments += ("--accept-mirror",)  # its programs are builds of our own, see lab/mirror
        result = self.enter(*self.wrapper, self.program, *arguments, check=False, timeout=timeout, text_input=text_input,
                            env={**self.env, **env} if env else None, cwd=cwd)
        if check is True:
            assert result.status == 0, result
        elif check is not False:
            assert result.status == check, result
        return result

    def init(self, *more, controllers=None, balancers=None, vip=VIP):
        controllers = CONTROLLERS if controllers is None else controllers
        balancers = BALANCERS if balancers is None else balancers
        arguments = []
        for name, address in controllers.items():
            arguments += ["--controller", f"{name}={address}"]
        for name, address in balancers.items():
            arguments += ["--loadbalancer", f"{name}={address}"]
        return self.hardway("init", *arguments, "--vip", vip, "--ssh-user", "pi", "--arch", "amd64", *more)

    def version(self, address=VIP, port=6443, timeout=1):
        """GET /version by curl, trusting the cluster's CA only. The JSON, or None."""
        result = self.enter("curl", "--silent", "--fail", "--max-time", str(timeout), "--cacert", "pki/ca.crt",
                            f"https://{address}:{port}/version", check=False)
        return result.json if result.status == 0 else None

    def ready(self, address, port=6443):
        """Does the apiserver there say that it is ready?"""
        return self.enter("curl", "--silent", "--fail", "--max-time", "2", "--cacert", "pki/ca.crt", f"https://{address}:{port}/readyz",
                          check=False).status == 0

    @contextlib.contextmanager
    def client(self, rate=20, timeout=5, port=6443, hosts=VIP):
        """While the body runs, client.py reads, writes and watches through the VIP, or whichever of several addresses answers; what it
        saw is in the dictionary that is given, afterwards."""
        seen = {"since": int(time.time())}
        argv = [os.path.join(TOP, "lab", "enter"), "--name", self.name, "--", "/usr/bin/python3",
                os.path.join(TOP, "tests", "lab", "client.py"), "admin.conf", hosts, str(port), str(rate), str(timeout)]
        with subprocess.Popen(argv, cwd=self.directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout.readline() == "ready\n"
                yield seen
            finally:
                out, _ = process.communicate()
                seen.update(json.loads(out))

    def served(self, host, port):
        """What a node shows at a port to anybody: serial, issuer's key and names, by the openssl command."""
        shown = self.enter("openssl", "s_client", "-connect", f"{host}:{port}", check=False, text_input="").out
        found = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", shown, re.S)
        assert found, shown
        text = self.enter("openssl", "x509", "-noout", "-serial", "-ext", "subjectAltName,authorityKeyIdentifier",
                          text_input=found.group(0)).out
        return {"serial": re.search("serial=(.*)", text).group(1), "text": text, "pem": found.group(0),
                "issuer": re.search(r"Authority Key Identifier:\s*\n\s*(?:keyid:)?([0-9A-F:]+)", text).group(1)}

    def kubectl(self, *arguments, check=True, text_input=None):
        return self.enter(self.binary("kubectl"), "--kubeconfig", "admin.conf", *arguments, check=check, text_input=text_input)

    def binary(self, name):
        """The path of a fetched binary in the cache, by the lock file."""
        with open(os.path.join(self.directory, "hardway.lock"), encoding="utf-8") as file:
            digests = [entry["sha256"] for entry in find_entries(json.load(file), name)]
        cache = os.path.join(self.env.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "hardway")
        for root, _, names in os.walk(cache):
            for digest in digests:
                for found in names:
                    path = os.path.join(root, found)
                    if digest in (found, os.path.basename(root) + found):
                        return path
        raise AssertionError(f"{name} is not in the cache {cache}")

    def pids(self, host, units):
        out = self.sh(host, "systemctl show -p MainPID --value " + " ".join(units)).out
        return [int(line) for line in out.split()]

    def verify(self):
        """All is well at once; but where an apiserver answered haproxy too late, as this machine had too much to do, it may take a moment."""
        seen = self.hardway("verify", check=False)
        if re.search(r"L[467]TOUT", seen.out):
            self.await_green(60)
        else:
            assert seen.status == 0, seen

    def await_green(self, seconds=90):
        """Asks verify until all is well, and fails with what is not."""
        end = time.monotonic() + seconds
        while (seen := self.hardway("verify", check=False)).status != 0:
            assert time.monotonic() < end, f"not green within {seconds} s: {seen}"

    def holder(self):
        """The load balancers that hold the VIP."""
        return [lb for lb in BALANCERS
                if f" {VIP}/" in self.sh(lb, "ip -o addr show 2>/dev/null", check=False).out]


def find_entries(tree, name):
    if isinstance(tree, dict):
        if tree.get("name") == name and "sha256" in tree:
            yield tree
        for value in tree.values():
            yield from find_entries(value, name)
    elif isinstance(tree, list):
        for value in tree:
            yield from find_entries(value, name)


def edit(lab, pattern, replacement):
    path = os.path.join(lab.directory, "hardway.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    changed = re.sub(pattern, replacement, text, flags=re.M)
    assert changed != text
    with open(path, "w", encoding="utf-8") as file:
        file.write(changed)


def whole_job(lab, port=6443, before_install=None):
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    if before_install:
        before_install()
    lab.hardway("install", timeout=1500)
    assert lab.version(port=port, timeout=5)["gitVersion"] == "v1.36.3"
    lab.verify()
    assert "nothing to change" in lab.hardway("install").out
