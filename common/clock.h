/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <time.h>

#include "common/macro.h"

/*
 * Times are microseconds: clock_usec() since boot, for waiting; clock_realtime() in seconds since 1970, for
 * dates.
 */

#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_INFINITY UINT64_MAX

uint64_t clock_usec(void);
int64_t clock_realtime(void);
void clock_sleep(uint64_t usec);
char* clock_format_iso(int64_t seconds); /* 2026-11-21T10:22:34Z */
char* clock_format_span(uint64_t usec);  /* "0.4 s", "12 s", "3 min 5 s", "2 d 4 h" */
int64_t clock_build_date(void);          /* when this program was built (SOURCE_DATE_EPOCH is honoured) */
