# SPDX-License-Identifier: LGPL-2.1-or-later
"""inside.py SITE: the first process of namespaces of its own, in which a machine is played (world.py starts it; see there).

Reads orders from standard input, one JSON object a line, and answers each with one. The machine's root directory is an overlay over that of
the machine that it runs on; systemd is played by manager.c, and etcd and the control plane by this process: they answer over TLS for
as long as their units run."""
import base64
import contextlib
import hashlib
import http.server
import json
import os
import shutil
import socket
import socketserver
import ssl
import stat
import struct
import subprocess
import sys
import threading
import time

NAME, ADDRESS, VIP = "c0", "10.77.0.20", "10.77.0.10"
SITE = sys.argv[1]
ROOT = "/mnt"
DISKS = "/srv"  # a file system in memory, for upper layers
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root", "XDG_CACHE_HOME": "/cache", "LANG": "C.UTF-8"}
# What lies on the machine before hardway comes, where it puts something else
THEIRS = {"/etc/kubernetes/audit-policy.yaml": "theirs\n", "/etc/systemd/system/kube-scheduler.service": "[Service]\nExecStart=/bin/true\n"}


def sh(*argv, **more):
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, **more)


# --- what answers on the network ---


def runs(unit):
    try:
        with open(f"{ROOT}/run/manager/{unit}.service.pid", encoding="ascii") as file:
            os.kill(int(file.read()), 0)
        return True
    except (OSError, ValueError):
        return False


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def __init__(self, address, unit, answers, certificate=None):
        super().__init__(address, Handler)
        self.unit, self.answers, self.certificate = unit, answers, certificate
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def finish_request(self, request, client_address):
        try:
            if not runs(self.unit):
                return
            if self.certificate:  # as it is installed now
                context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                base = os.path.join(ROOT, "etc/kubernetes/pki", self.certificate)  # bench/scale's are elsewhere
                context.load_cert_chain(f"{base}.crt", f"{base}.key")
                request = context.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
        except OSError:
            pass

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, text = self.server.answers(self.command, self.path.split("?")[0], body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = answer

    def log_message(self, format, *args):
        pass


DATABASE = bytes(16) + struct.pack("<I", 0xED0CDAED) + bytes(4076)  # as far as hardway looks into it


def etcd(_, path, __):
    header = {"cluster_id": "1", "member_id": "2", "revision": "3", "raft_term": "4"}
    answers = {
        "/health": {"health": "true"},
        "/version": {"etcdserver": "3.6.16"},
        "/v3/cluster/member/list": {"header": header, "members": [{"ID": "2", "name": NAME, "peerURLs": [f"https://{ADDRESS}:2380"],
                                                                  "clientURLs": [f"https://{ADDRESS}:2379"]}]},
        "/v3/maintenance/status": {"header": header, "leader": "2", "version": "3.6.16"},
        "/v3/kv/range": {"header": header},
    }
    if path == "/v3/maintenance/snapshot":
        pieces = [DATABASE[:1000], DATABASE[1000:], hashlib.sha256(DATABASE).digest()]
        return 200, b"".join(json.dumps({"result": {"blob": base64.b64encode(piece).decode()}}).encode() + b"\n" for piece in pieces)
    return (200, json.dumps(answers[path]).encode()) if path in answers else (404, b"{}")


def haproxy(_, path, __):
    if path == "/haproxy_ready":
        return 200, b""
    fields = ["c0", *["0"] * 15, "UP", *["0"] * 18, "L7OK", *["0"] * 19, "ok"]
    return 200, "".join(",".join([table, *fields]) + "\n" for table in ("apiservers", "checks")).encode()


OBJECTS = {}


def apiserver(method, path, body):
    if path == "/readyz":
        return 200, b"ok"
    if path == "/version":
        return 200, b'{"gitVersion":"v1.36.3"}'
    if "/leases/" in path:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return 200, json.dumps({"spec": {"holderIdentity": "c0_1", "renewTime": now, "leaseDurationSeconds": 15}}).encode()
    if method == "PATCH":
        OBJECTS[path] = body
    return (200, OBJECTS[path]) if path in OBJECTS else (404, b"{}")


def serve():
    Server((ADDRESS, 2379), "etcd", etcd, "etcd/server")
    Server((ADDRESS, 2380), "etcd", etcd, "etcd/peer")
    for address in (ADDRESS, VIP):  # as if a load balancer were in front
        Server((address, 6443), "kube-apiserver", apiserver, "apiserver")
    Server(("127.0.0.1", 8405), "haproxy", haproxy)
    for port in (10257, 10259):  # only whether they listen is looked at
        Server(("127.0.0.1", port), "kube-scheduler", apiserver)


# --- the machine ---


class Machine:
    def __init__(self):
        self.n, self.manager, self.played = 0, None, None
        sh("mount", "--make-rprivate", "/")
        sh("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", DISKS)
        sh("ip", "link", "set", "lo", "up")
        for address in (ADDRESS, VIP):
            sh("ip", "addr", "add", f"{address}/24", "dev", "lo")
        os.mkdir(f"{DISKS}/base")
        shutil.copytree(f"{SITE}/tools", f"{DISKS}/base/usr/local/bin")
        os.setxattr(f"{DISKS}/base/usr/local/bin", "trusted.overlay.opaque", b"y")  # what else is there is no part of it
        os.symlink("manager", f"{DISKS}/base/usr/local/bin/systemctl")
        for name in ("cluster", "cache"):
            shutil.copytree(f"{SITE}/{name}", f"{DISKS}/base/{name}")
        for path, text in THEIRS.items():
            os.makedirs(os.path.dirname(f"{DISKS}/base{path}"), exist_ok=True)
            self.write(path, text, f"{DISKS}/base")
            os.chmod(f"{DISKS}/base{path}", 0o640)
        self.layers, self.lower = {"": f"{DISKS}/base:/"}, None
        self.objects = {"": {}}

    def power_off(self):
        if self.manager:
            self.manager.kill()
            self.manager.wait()
            self.manager = None
        with contextlib.suppress(ChildProcessError):  # no process outlives the power, and no lock is held by one that has its number
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        # as if a load balancer had it; unless this may be one
        subprocess.run(["ip", "addr", "del" if self.played else "replace", f"{VIP}/24", "dev", "lo"], check=False, stderr=subprocess.DEVNULL)
        for mount in ("run", "tmp", "sys", "proc", "dev"):
            subprocess.run(["umount", "-l", f"{ROOT}/{mount}"], check=False, stderr=subprocess.DEVNULL)

    def power_on(self):
        for mount in ("dev", "sys"):
            sh("mount", "--rbind", f"/{mount}", f"{ROOT}/{mount}")
        sh("mount", "-t", "proc", "proc", f"{ROOT}/proc")
        for mount in ("run", "tmp"):
            sh("mount", "-t", "tmpfs", "tmpfs", f"{ROOT}/{mount}")
        self.manager = subprocess.Popen(["chroot", ROOT, "manager"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        env={"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "VIP": VIP})
        self.manager.stdout.readline()

    # orders

    def fresh(self, kept="", options=""):
        """A machine as it came, or as it was when it was kept under a name; options: of its disk, for mount."""
        self.power_off()
        subprocess.run(["umount", "-l", ROOT], check=False, stderr=subprocess.DEVNULL)
        disk = f"{DISKS}/{self.n}"
        if self.n > 0 and not any(f"{disk}/" in layers for layers in self.layers.values()):
            subprocess.run(["umount", "-q", disk], check=False, stderr=subprocess.DEVNULL)
            shutil.rmtree(disk)
        self.n += 1
        disk = f"{DISKS}/{self.n}"
        os.mkdir(disk)
        if options:
            sh("mount", "-t", "tmpfs", "-o", options, "tmpfs", disk)
        for name in ("upper", "work"):
            os.mkdir(f"{disk}/{name}")
        self.lower = self.layers[kept]
        sh("mount", "-t", "overlay", "-o", f"lowerdir={self.lower},upperdir={disk}/upper,workdir={disk}/work", "overlay", ROOT)
        OBJECTS.clear()
        OBJECTS.update(self.objects[kept])
        self.power_on()

    def resize(self, options):
        """The disk of fresh(options=...) gets other options."""
        sh("mount", "-o", f"remount,{options}", f"{DISKS}/{self.n}")

    def keep(self, name):
        self.power_off()
        self.layers[name] = f"{DISKS}/{self.n}/upper:{self.lower}"
        self.objects[name] = dict(OBJECTS)

    def restart(self):
        self.power_off()
        self.power_on()

    def run(self, argv, timeout=60):
        start = time.monotonic()
        done = subprocess.run(["chroot", ROOT, "/bin/sh", "-c", 'cd /cluster; exec "$@"', "sh", *argv], env=ENVIRONMENT, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout)
        return {"status": done.returncode, "out": done.stdout, "err": done.stderr, "seconds": time.monotonic() - start}

    def play(self, name=NAME, address=None):
        """From now on it is another node, or again what it was."""
        socket.sethostname(name)
        if self.played:
            sh("ip", "addr", "del", self.played, "dev", "lo")
        self.played = address and f"{address}/{64 if ':' in address else 24}"
        if address:
            sh("ip", "addr", "add", self.played, "dev", "lo")
        if address and ":" in address:  # all of the network refuses at once, as it does with version 4
            sh("ip", "-6", "route", "replace", "local", self.played, "dev", "lo")

    def until(self, argv, words, timeout=60):
        """Ends a command once it has said something."""
        script = 'cd /cluster; exec "$@" 2>/run/until.err'
        with subprocess.Popen(["chroot", ROOT, "/bin/sh", "-c", script, "sh", *argv], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True) as process:
            timer = threading.Timer(timeout, process.kill)
            timer.start()
            said = ""
            for line in process.stdout:
                said += line
                if words in line:
                    process.terminate()
                    break
            process.stdout.read()
            timer.cancel()
        return {"status": process.returncode, "out": said, "err": self.read("/run/until.err")}

    def changed(self):
        """All of the disk that is not as it was when the machine was made fresh; as files() has it, and what is gone is none."""
        found, top = {}, f"{DISKS}/{self.n}/upper"
        for folder, _, names in os.walk(top):
            for path in [folder, *(f"{folder}/{name}" for name in names)]:
                self.file(path[len(top):] or "/", found, deep=False)
        return found

    def files(self, paths):
        """What is at each path: kind and mode, owner, and a digest of its bytes or its target; all that is below directories."""
        found = {}
        for path in paths:
            self.file(path, found)
        return found

    def file(self, path, found, deep=True):
        try:
            st = os.lstat(ROOT + path)
        except FileNotFoundError:
            if not deep:
                found[path] = None
            return
        content = ""
        if stat.S_ISLNK(st.st_mode):
            content = os.readlink(ROOT + path)
        elif stat.S_ISREG(st.st_mode):
            with open(ROOT + path, "rb") as file:
                content = hashlib.sha256(file.read()).hexdigest()
        elif stat.S_ISDIR(st.st_mode) and deep:
            for name in sorted(os.listdir(ROOT + path)):
                self.file(f"{path}/{name}", found)
        found[path] = [oct(st.st_mode), st.st_uid, st.st_gid, content]

    def read(self, path):
        with open(ROOT + path, encoding="utf-8") as file:
            return file.read()

    def write(self, path, text, root=ROOT):
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        with open(root + path, "w", encoding="utf-8") as file:
            file.write(text)


def main():
    socket.sethostname(NAME)
    machine = Machine()
    serve()
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = {"answer": getattr(machine, order.pop("do"))(**order)}
        except Exception as error:  # pylint: disable=broad-except
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)
    machine.power_off()


if __name__ == "__main__":
    main()
