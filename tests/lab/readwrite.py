#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""readwrite.py KUBECONFIG HOST PORT RATE TIMEOUT: RATE requests a second to https://HOST:PORT, in turn a read and a write, each over a new
connection, until its standard input ends; then prints what it saw as JSON: answers, failures with their times, the longest time without an
answer, and which acknowledged writes are not there.

The kubeconfig is read again whenever it has changed, as an operator would replace his own. Started by tests in the lab's network; loads nothing
but the lab's own virtual IP."""
import base64
import http.client
import json
import os
import re
import select
import ssl
import sys
import tempfile
import threading
import time

PLACE = "/api/v1/namespaces/default/configmaps"
N_OBJECTS = 8


class Identity:
    """Trust and credential of a kubeconfig, as it is now."""

    def __init__(self, path):
        self.path, self.mutex, self.stamp, self.current = path, threading.Lock(), None, None

    def member(self, text, name):
        return base64.b64decode(re.search(rf'^\s*"?{name}"?: "?([A-Za-z0-9+/=]+)', text, re.M).group(1)).decode()

    def context(self):
        with self.mutex:
            stat = os.stat(self.path)
            stamp = (stat.st_ino, stat.st_mtime_ns)
            if stamp != self.stamp:
                with open(self.path, encoding="utf-8") as file:
                    text = file.read()
                context = ssl.create_default_context(cadata=self.member(text, "certificate-authority-data"))
                with tempfile.NamedTemporaryFile("w") as pair:
                    pair.write(self.member(text, "client-certificate-data") + self.member(text, "client-key-data"))
                    pair.flush()
                    context.load_cert_chain(pair.name)
                self.stamp, self.current = stamp, context
            return self.current


class Client:
    def __init__(self, identity, host, port, timeout):
        self.identity, self.host, self.port, self.timeout = identity, host, port, timeout
        self.mutex = threading.Lock()
        self.start = time.monotonic()
        self.answers, self.failures, self.written = [], [], []

    def request(self, method, path, body=None, kind="application/merge-patch+json"):
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout, context=self.identity.context())
        try:
            connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": kind} if body else {})
            response = connection.getresponse()
            text = response.read()
            if response.status >= 300:
                raise OSError(f"status {response.status}: {text[:200]!r}")
            return json.loads(text)
        finally:
            connection.close()

    def prepare(self):
        for i in range(N_OBJECTS):
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"readwrite-{i}"}, "data": {}}
            self.request("PATCH", f"{PLACE}/readwrite-{i}?fieldManager=readwrite&force=true", body, "application/apply-patch+yaml")

    def ask(self, turn):
        begin = time.monotonic() - self.start
        try:
            if turn % 2:
                self.request("PATCH", f"{PLACE}/readwrite-{turn // 2 % N_OBJECTS}", {"data": {f"k{os.getpid()}-{turn}": str(turn)}})
            else:
                self.request("GET", "/version")
            with self.mutex:
                self.answers.append(time.monotonic() - self.start)
                if turn % 2:
                    self.written.append((turn // 2 % N_OBJECTS, f"k{os.getpid()}-{turn}"))
        except (OSError, http.client.HTTPException) as error:
            with self.mutex:
                self.failures.append({"at": round(begin, 2), "after": round(time.monotonic() - self.start - begin, 2),
                                      "what": "write" if turn % 2 else "read", "error": f"{type(error).__name__}: {error}"})

    def lost(self):
        have = [self.request("GET", f"{PLACE}/readwrite-{i}").get("data") or {} for i in range(N_OBJECTS)]
        return [key for i, key in self.written if key not in have[i]]

    def run(self, rate):
        self.prepare()
        print("ready", flush=True)
        self.start = time.monotonic()
        threads, turn = [], 0
        while not select.select([sys.stdin], [], [], 0)[0]:
            thread = threading.Thread(target=self.ask, args=(turn,))
            thread.start()
            threads.append(thread)
            turn += 1
            time.sleep(max(0, self.start + turn / rate - time.monotonic()))
        for thread in threads:
            thread.join()
        times = sorted(self.answers)
        gaps = [b - a for a, b in zip(times, times[1:])]
        print(json.dumps({"answers": len(times), "writes": len(self.written), "failures": self.failures,
                          "lost": self.lost(), "gap": round(max(gaps, default=0), 3)}))


def main():
    kubeconfig, host, port, rate, timeout = sys.argv[1:]
    Client(Identity(kubeconfig), host, int(port), float(timeout)).run(float(rate))


if __name__ == "__main__":
    main()
