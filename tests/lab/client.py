#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""client.py CA HOST PORT RATE TIMEOUT: asks https://HOST:PORT/version RATE times a second, each time over a new connection, until its
standard input ends; then prints what it saw as JSON: answers, failures with their times, the longest time without an answer.

Started by tests in the lab's network; loads nothing but the lab's own virtual IP."""
import http.client
import json
import select
import ssl
import sys
import threading
import time


class Client:
    def __init__(self, ca, host, port, timeout):
        self.context = ssl.create_default_context(cafile=ca)
        self.host, self.port, self.timeout = host, port, timeout
        self.mutex = threading.Lock()
        self.start = time.monotonic()
        self.answers, self.failures = [], []

    def ask(self):
        begin = time.monotonic() - self.start
        try:
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout, context=self.context)
            connection.request("GET", "/version")
            response = connection.getresponse()
            body = response.read()
            connection.close()
            if response.status != 200:
                raise OSError(f"status {response.status}: {body[:80]!r}")
            with self.mutex:
                self.answers.append(time.monotonic() - self.start)
        except (OSError, http.client.HTTPException) as error:
            with self.mutex:
                self.failures.append({"at": round(begin, 2), "error": f"{type(error).__name__}: {error}"})

    def run(self, rate):
        threads, turn = [], 0
        while not select.select([sys.stdin], [], [], 0)[0]:
            thread = threading.Thread(target=self.ask)
            thread.start()
            threads.append(thread)
            turn += 1
            time.sleep(max(0, self.start + turn / rate - time.monotonic()))
        for thread in threads:
            thread.join()
        times = sorted(self.answers)
        gaps = [b - a for a, b in zip(times, times[1:])]
        print(json.dumps({"answers": len(times), "failures": self.failures, "gap": round(max(gaps, default=0), 3)}))


def main():
    ca, host, port, rate, timeout = sys.argv[1:]
    Client(ca, host, int(port), float(timeout)).run(float(rate))


if __name__ == "__main__":
    main()
