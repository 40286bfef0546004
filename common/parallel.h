/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/macro.h"

/*
 * Several things at once, one thread each
 *
 * What hardway does to nodes is a sequence of waits (for ssh, for systemd, for a probe), so a thread that waits is the simplest thing that
 * works; 50 of them cost nothing. The threads take no signals: those go to the main thread. Where no thread can be had, the
 * job is done by the caller, before the next one is started.
 */
void parallel_each(void (*job)(void *item), void *items, size_t item_size, size_t n_items);
