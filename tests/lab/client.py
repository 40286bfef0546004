#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""client.py KUBECONFIG HOST PORT RATE TIMEOUT: asks the apiserver at https://HOST:PORT until its standard input ends, then prints
what it saw as JSON. Four at a time, as those who use a cluster do:

  reader   GET /version, RATE times a second, each time over a new connection
  kept     the same over one connection for as long as it lasts
  writer   a ConfigMap, PATCHed RATE/2 times a second, each time over a new connection; what was acknowledged last has to be there
  watch    one watch of that ConfigMap, begun anew where the last one ended

An answer has to come within TIMEOUT seconds. "failures" are requests without a good answer, each with its time; "lost" are writes that were
acknowledged and are not there; "gap" is the longest time in which the reader had no answer, "write_gap" the same of the
writer. Of kept connections "reopened" says how often one was over (between two requests, or told so by Connection: close), "cut" how often
one broke off with a request under way. Such a request is asked again, as a client may (RFC 9112, 9.3.1), within the same seconds. "watch_ended" and "watch_cut" are watches that came to
their end, or broke off.

HOST may be several, with commas: then one that cannot be connected to within a second is passed over for the next, and what is not answered
within two seconds is asked again, until TIMEOUT, as by clients that know a name with several addresses.

The kubeconfig is read again whenever it has changed, as its owner would replace his own.

Started by tests in the lab's network; loads nothing but the lab's own virtual IP."""
import base64
import http.client
import json
import os
import re
import select
import socket
import ssl
import sys
import tempfile
import threading
import time

MAP = "/api/v1/namespaces/default/configmaps"


class Again(Exception):
    """The server asks to come again, over another connection."""


class Identity:
    """Trust and credential of a kubeconfig, as it is now."""

    def __init__(self, path):
        self.path, self.mutex, self.stamp, self.current = path, threading.Lock(), None, None

    @staticmethod
    def member(text, name):
        return base64.b64decode(re.search(rf'^ *{name}: "?([A-Za-z0-9+/=]+)', text, re.M)[1]).decode()

    def context(self):
        with self.mutex:
            found = os.stat(self.path)
            stamp = (found.st_ino, found.st_mtime_ns)
            if stamp != self.stamp:
                with open(self.path, encoding="utf-8") as file:
                    text = file.read()
                self.current = ssl.create_default_context(cadata=self.member(text, "certificate-authority-data"))
                with tempfile.NamedTemporaryFile("w") as pair:
                    pair.write(self.member(text, "client-certificate-data") + self.member(text, "client-key-data"))
                    pair.flush()
                    self.current.load_cert_chain(pair.name)
                self.stamp = stamp
            return self.current


class Client:
    def __init__(self, identity, host, port, timeout):
        self.identity = identity
        self.hosts, self.port, self.timeout = host.split(","), port, timeout
        self.mutex = threading.Lock()
        self.start = time.monotonic()
        self.over = threading.Event()
        self.answers, self.failures = [], []
        self.seen = {"kept": 0, "reopened": 0, "cut": 0, "told": 0, "written": 0, "lost": [], "watch_events": 0, "watch_ended": 0, "watch_cut": []}
        self.acknowledged, self.writes = 0, []
        self.late = 0

    def now(self):
        return time.monotonic() - self.start

    def to(self, host, timeout):
        return http.client.HTTPSConnection(host, self.port, timeout=timeout, context=self.identity.context())

    def connect(self, timeout=None):
        timeout = timeout or self.timeout
        if len(self.hosts) == 1:
            return self.to(self.hosts[0], timeout)
        until = time.monotonic() + timeout
        while True:
            for host in list(self.hosts):
                connection = self.to(host, 1)
                try:
                    connection.connect()
                    connection.sock.settimeout(min(2, timeout))
                    self.hosts = [host, *(other for other in self.hosts if other != host)]
                    return connection
                except OSError:
                    connection.close()
                    if time.monotonic() > until:
                        raise

    def fail(self, who, begin, error):
        with self.mutex:
            self.failures.append({"who": who, "at": round(begin, 2), "after": round(self.now() - begin, 2),
                                  "error": f"{type(error).__name__}: {error}"})

    @staticmethod
    def exchange(connection, method, path, body=None, content_type=None, good=(200,)):
        connection.request(method, path, body=body, headers={"Content-Type": content_type} if body else {})
        response = connection.getresponse()
        text = response.read()
        if response.status == 429 and response.getheader("Retry-After") and response.getheader("Connection") == "close":
            raise Again(text)
        if response.status not in good:
            raise OSError(f"status {response.status}: {text[:200]!r}")
        return text

    def once(self, method, path, **more):
        """A request over a connection of its own."""
        until = time.monotonic() + self.timeout
        while True:
            connection = self.connect()
            try:
                return self.exchange(connection, method, path, **more)
            except (OSError, http.client.HTTPException):
                if len(self.hosts) == 1 or time.monotonic() > until:
                    raise
            finally:
                connection.close()

    def surely(self, method, path, **more):
        """What is not measured, only needed: asked until it is answered."""
        until = time.monotonic() + 60
        while True:
            try:
                return self.once(method, path, **more)
            except (OSError, http.client.HTTPException, Again):
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def read(self):
        begin = self.now()
        try:
            self.once("GET", "/version")
            with self.mutex:
                self.answers.append(self.now())
        except (OSError, http.client.HTTPException, Again) as error:
            self.fail("reader", begin, error)

    def write(self, number):
        """Writes come one after the other, so that the last acknowledged one is what has to be there."""
        begin = self.now()
        try:
            self.once("PATCH", f"{MAP}/client", body=json.dumps({"data": {"number": str(number)}}), content_type="application/merge-patch+json")
            self.acknowledged = number
            self.seen["written"] += 1
            self.writes.append(self.now())
        except (OSError, http.client.HTTPException, Again) as error:
            self.fail("writer", begin, error)

    def check_written(self):
        """What is read may be newer, if a write whose answer did not come was done all the same; never older."""
        found = int(json.loads(self.surely("GET", f"{MAP}/client"))["data"]["number"])
        if found < self.acknowledged:
            self.seen["lost"].append({"acknowledged": self.acknowledged, "found": found})

    def ended(self, connection):
        """Has the other side closed an idle connection?"""
        return connection.sock is None or bool(select.select([connection.sock], [], [], 0)[0])

    def keep(self, connection):
        """One request over a kept connection; the connection for the next one is returned."""
        begin = self.now()
        if connection and self.ended(connection):
            self.seen["reopened"] += 1
            connection.close()
            connection = None
        for turn in range(3):
            used = connection is not None
            connection = connection or self.connect(max(0.1, begin + self.timeout - self.now()))
            try:
                self.exchange(connection, "GET", "/version")
                self.seen["kept"] += 1
                return connection
            except Again:
                self.seen["told"] += 1
            except (OSError, http.client.HTTPException) as error:
                if not used or turn == 2 or isinstance(error, socket.timeout):
                    self.fail("kept", begin, error)
                    break
                self.seen["cut"] += 1
            connection.close()
            connection = None
        return None

    def watch(self):
        """Watches the ConfigMap until its end."""
        version = json.loads(self.once("GET", f"{MAP}?fieldSelector=metadata.name%3Dclient"))["metadata"]["resourceVersion"]
        connection = self.connect(60)
        try:
            connection.request("GET", f"{MAP}?watch=1&fieldSelector=metadata.name%3Dclient&resourceVersion={version}")
            response = connection.getresponse()
            if response.status == 429:
                return
            if response.status != 200:
                raise OSError(f"status {response.status}")
            # not readline(), which takes a connection that broke off for the end
            while text := response.read1():
                self.seen["watch_events"] += text.count(b"\n")
            self.seen["watch_ended"] += 1
        except (OSError, http.client.HTTPException, ValueError) as error:
            if not self.over.is_set():
                self.seen["watch_cut"].append({"at": round(self.now(), 2), "error": f"{type(error).__name__}: {error}"})
        finally:
            connection.close()

    def paced(self, rate, step):
        begin, turn = time.monotonic(), 0
        while not self.over.is_set():
            turn += 1
            step(turn)
            self.over.wait(max(0, begin + turn / rate - time.monotonic()))

    def keep_on(self, rate):
        kept = [None]

        def step(_):
            kept[0] = self.keep(kept[0])
        self.paced(rate, step)

    def write_on(self, rate):
        self.paced(rate, self.write)
        self.check_written()

    def watch_on(self):
        while not self.over.is_set():
            begin = self.now()
            try:
                self.watch()
            except (OSError, http.client.HTTPException, Again) as error:
                self.fail("watch", begin, error)

    def tick(self):
        """How late this process is when it wants to do something: what it measures is then not of the cluster alone."""
        while not self.over.is_set():
            begin = time.monotonic()
            self.over.wait(0.1)
            self.late = max(self.late, time.monotonic() - begin - 0.1)

    def run(self, rate):
        self.surely("POST", MAP, body=json.dumps({"metadata": {"name": "client"}, "data": {"number": "0"}}), content_type="application/json",
                    good=(201, 409))
        self.surely("PATCH", f"{MAP}/client", body='{"data":{"number":"0"}}', content_type="application/merge-patch+json")
        print("ready", flush=True)
        self.start = time.monotonic()
        others = [threading.Thread(target=self.keep_on, args=(rate,)), threading.Thread(target=self.write_on, args=(rate / 2,)),
                  threading.Thread(target=self.watch_on, daemon=True), threading.Thread(target=self.tick, daemon=True)]
        for thread in others:
            thread.start()
        threads, turn = [], 0
        while not select.select([sys.stdin], [], [], 0)[0]:
            thread = threading.Thread(target=self.read)
            thread.start()
            threads.append(thread)
            turn += 1
            time.sleep(max(0, self.start + turn / rate - time.monotonic()))
        self.over.set()
        for thread in [*threads, *others[:2]]:
            thread.join()
        self.surely("DELETE", f"{MAP}/client", good=(200, 404))
        print(json.dumps({"answers": len(self.answers), "failures": self.failures, "gap": self.longest(self.answers),
                          "write_gap": self.longest(self.writes), "late": round(self.late, 2), **self.seen}))

    @staticmethod
    def longest(times):
        times = sorted(times)
        return round(max((b - a for a, b in zip(times, times[1:])), default=0), 3)


def main():
    kubeconfig, host, port, rate, timeout = sys.argv[1:]
    Client(Identity(kubeconfig), host, int(port), float(timeout)).run(float(rate))


if __name__ == "__main__":
    main()
