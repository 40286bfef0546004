/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * systemd's manager on the node, over a line of its own: systemd-stdio-bridge at its end, on systemd's
 * private socket, which is there with and without a dbus-daemon. The script that starts it says a word
 * first, so that failures of ssh and sudo are told as such; to sd-bus they would all be "not connected".
 */

#include <errno.h>
#include <fcntl.h>

#include "host/host-internal.h"

static const char bridge[] =
        "have systemd-stdio-bridge || fail missing 'systemd-stdio-bridge is not there'\n"
        "exec systemd-stdio-bridge -p unix:path=/run/systemd/private\n";

static int bus_connect(Host *h, Error **reterr) {
        _cleanup_(process_freep) Process *p = NULL;
        int r, fd;

        r = channel_start(h,
                          &(Script) { .name = "bus",
                                     .text = bridge,
                                     .follows = "calls to systemd, in D-Bus' format\n" },
                          &p, reterr);
        if (r < 0)
                return r;
        fd = fcntl(process_fd(p), F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
                return error_set_errno(reterr, errno, "cannot connect to systemd");
        r = unit_bus_open_fd(fd, /* bus_client= */ false, &h->bus, reterr);
        if (r < 0) {
                const char *said = process_errors(p);

                if (*said)
                        error_detail(reterr, "%s", said);
                return r;
        }
        h->bus_process = TAKE_PTR(p);
        return 0;
}

/**
 * host_bus() - systemd's manager on the node
 * @h:          the host
 * @ret:        the connection, opened on first use, and anew where it has broken; lent, until the next call
 *              or host_free()
 * @reterr:     why there is none
 *
 * Return: 0, or a negative errno.
 */
int host_bus(Host *h, UnitBus **ret, Error **reterr) {
        int r = 0;

        if (h->bus && !unit_bus_is_alive(h->bus)) {
                h->bus = unit_bus_free(h->bus);
                h->bus_process = process_free(h->bus_process);
        }
        if (!h->bus)
                r = h->node->local ? unit_bus_open_local(&h->bus, reterr) : bus_connect(h, reterr);
        if (r < 0)
                return r;
        if (h->options.trace)
                unit_bus_set_trace(h->bus, trace_bus, h);
        *ret = h->bus;
        return 0;
}
