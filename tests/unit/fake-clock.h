/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/clock.h"

/*
 * Time passes by waiting alone
 *
 * Wraps: clock_usec clock_sleep
 */

static uint64_t fake_now = 1;

/* What else happens while somebody waits; the test says so. */
void fake_meanwhile(void);

uint64_t __wrap_clock_usec(void);
uint64_t __wrap_clock_usec(void) {
        return fake_now;
}

void __wrap_clock_sleep(uint64_t usec);
void __wrap_clock_sleep(uint64_t usec) {
        fake_now += usec;
        fake_meanwhile();
}
