#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""delay.py PORT TAP MILLISECONDS: all that a host of the lab sends and gets arrives that much later, by a relay between it and its switch.

For kernels without netem. PORT is the host's on the lab's bridge, which is shut here: what the host sends is read from it all the same, and
what is sent through it arrives. In its place TAP, made for this, is plugged into the bridge. Frames are passed on as the kernel has them,
segments not yet cut and sums not yet made, with the header in front that says so (struct virtio_net_hdr).

Says `ready`, and ends with its standard input, with TAP, or with the host; then TAP is gone and PORT is open again, if it still is there."""
import collections
import contextlib
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time

TUNSETIFF, TUNSETOFFLOAD, TUNSETVNETHDRSZ = 0x400454ca, 0x400454d0, 0x400454d8
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
OFFLOADS = 0x01 | 0x02 | 0x04 | 0x08  # sums, segments of IPv4 and IPv6, ECN
SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING, ETH_P_ALL = 263, 15, 23, 0x0003
HEADER_SIZE = 10
FRAME_MAX = HEADER_SIZE + 14 + 65536 + 64
UNDER_WAY_MAX = 2048  # frames in one direction; more are lost, as in any switch


def ip(*words, check=True):
    subprocess.run(words, check=check, stderr=None if check else subprocess.DEVNULL)


def forget(port):
    """The bridge sends what is for the host there, where it has seen it, until the host speaks: but it may be waiting for just that."""
    shown = subprocess.run(["bridge", "fdb", "show", "brport", port], check=True, capture_output=True, text=True).stdout
    for line in shown.splitlines():
        if "permanent" not in line:
            ip("bridge", "fdb", "del", line.split()[0], "dev", port, "master", check=False)


def open_tap(name):
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    fcntl.ioctl(tap, TUNSETVNETHDRSZ, struct.pack("i", HEADER_SIZE))
    fcntl.ioctl(tap, TUNSETOFFLOAD, OFFLOADS)
    return tap


def open_port(name):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    port.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
    port.bind((name, ETH_P_ALL))
    return port


class Way:
    """One direction: what is under way, and when it is due."""

    def __init__(self, source, sink, delay):
        self.source, self.sink, self.delay, self.frames = source, sink, delay, collections.deque()

    def take(self):
        with contextlib.suppress(BlockingIOError):
            for _ in range(64):  # the other way has its turn, too
                frame = os.read(self.source, FRAME_MAX)
                if len(self.frames) < UNDER_WAY_MAX:
                    self.frames.append((time.monotonic() + self.delay, frame))

    def give(self):
        while self.frames and self.frames[0][0] <= time.monotonic():
            with contextlib.suppress(BlockingIOError):  # lost
                os.write(self.sink, self.frames.popleft()[1])


def relay(port, tap, delay):
    ways = [Way(port, tap, delay), Way(tap, port, delay)]
    while True:
        due = [way.frames[0][0] for way in ways if way.frames]
        ready, _, _ = select.select([port, tap, sys.stdin], [], [], max(0, min(due) - time.monotonic()) if due else None)
        if sys.stdin in ready:
            return
        for way in ways:
            if way.source in ready:
                way.take()
            way.give()


def main():
    port_name, tap_name, milliseconds = sys.argv[1:]
    tap = open_tap(tap_name)
    port = open_port(port_name)
    ip("ip", "link", "set", tap_name, "master", "br0", "up")
    ip("bridge", "link", "set", "dev", port_name, "state", "0")
    forget(port_name)
    try:
        print("ready", flush=True)
        relay(port.fileno(), tap, int(milliseconds) / 1000)
    except OSError:
        pass  # the host has lost its power, and its port with it
    finally:
        os.close(tap)
        ip("bridge", "link", "set", "dev", port_name, "state", "3", check=False)


if __name__ == "__main__":
    main()
