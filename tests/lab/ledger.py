#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ledger.py KUBECONFIG HOST PORT RATE TIMEOUT: as readwrite.py, but it remembers what it was told, and holds the cluster to it: what was acknowledged
before a read begins has to be in what is read, and the revision of an object never goes back. Prints {"asked", "writes", "reads", "failures",
"lost", "backwards"} when its standard input has ended; "lost" is looked for once more then."""
import http.client
import json
import os
import select
import sys
import threading
import time

from readwrite import N_OBJECTS, PLACE, Client, Identity


class Ledger(Client):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.revisions = [0] * N_OBJECTS  # the newest that we were ever shown of each object
        self.keys = [set() for _ in range(N_OBJECTS)]  # acknowledged
        self.reads = 0
        self.gone, self.backwards = set(), []

    def shown(self, number, floor, answer):
        """What an answer says must not be older than what was known when it was asked for."""
        revision = int(answer["metadata"]["resourceVersion"])
        with self.mutex:
            if revision < floor:
                self.backwards.append({"object": number, "known": floor, "shown": revision})
            self.revisions[number] = max(self.revisions[number], revision)

    def ask(self, turn):
        number, key = turn // 2 % N_OBJECTS, f"k{os.getpid()}-{turn}"
        with self.mutex:
            floor, known = self.revisions[number], set(self.keys[number])
        try:
            if turn % 2:
                self.shown(number, floor, self.request("PATCH", f"{PLACE}/readwrite-{number}", {"data": {key: str(turn)}}))
                with self.mutex:
                    self.keys[number].add(key)
            else:
                answer = self.request("GET", f"{PLACE}/readwrite-{number}")
                self.shown(number, floor, answer)
                with self.mutex:
                    self.reads += 1
                    self.gone |= known - set(answer.get("data") or {})
        except (OSError, http.client.HTTPException, ValueError) as error:
            with self.mutex:
                self.failures.append({"at": round(time.monotonic() - self.start, 2), "what": "write" if turn % 2 else "read",
                                      "error": f"{type(error).__name__}: {error}"})

    def lost(self):
        for number in range(N_OBJECTS):
            answer = self.request("GET", f"{PLACE}/readwrite-{number}")
            self.shown(number, self.revisions[number], answer)
            self.gone |= self.keys[number] - set(answer.get("data") or {})
        return sorted(self.gone)

    def run(self, rate):
        self.prepare()
        print("ready", flush=True)
        self.start = time.monotonic()
        threads, turn = [], 0
        while not select.select([sys.stdin], [], [], 0)[0]:
            threads = [thread for thread in threads if thread.is_alive()]
            threads.append(threading.Thread(target=self.ask, args=(turn,)))
            threads[-1].start()
            turn += 1
            time.sleep(max(0, self.start + turn / rate - time.monotonic()))
        for thread in threads:
            thread.join()
        lost = self.lost()
        print(json.dumps({"asked": turn, "writes": sum(map(len, self.keys)), "reads": self.reads, "failures": self.failures,
                          "lost": lost, "backwards": self.backwards}))


def main():
    kubeconfig, host, port, rate, timeout = sys.argv[1:]
    Ledger(Identity(kubeconfig), host, int(port), float(timeout)).run(float(rate))


if __name__ == "__main__":
    main()
