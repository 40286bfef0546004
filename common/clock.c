/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/clock.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/alloc.h"
#include "common/config.h"

/**
 * clock_usec() - a clock for waiting, which nobody can set
 *
 * Return: microseconds since boot.
 */
uint64_t clock_usec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

/**
 * clock_realtime() - the time of day
 *
 * Return: seconds since 1970.
 */
int64_t clock_realtime(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_REALTIME, &ts);
        return ts.tv_sec;
}

/**
 * clock_sleep() - wait
 * @usec:       how long
 *
 * Comes back early when a signal was handled in this thread, so that a loop which waits for something can
 * see a request to stop.
 */
void clock_sleep(uint64_t usec) {
        struct timespec ts = {
                .tv_sec = (time_t) (usec / USEC_PER_SEC),
                .tv_nsec = (long) (usec % USEC_PER_SEC * 1000),
        };

        (void) clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

/**
 * clock_format_iso() - write a date
 * @seconds:    since 1970
 *
 * Return: "2026-11-21T10:22:34Z"; the caller frees.
 */
char* clock_format_iso(int64_t seconds) {
        time_t t = (time_t) seconds;
        struct tm tm;

        if (!gmtime_r(&t, &tm))
                return xasprintf("@%" PRIi64, seconds); /* beyond the year 2147483647 */

        return xasprintf("%04lld-%02d-%02dT%02d:%02d:%02dZ", (long long) tm.tm_year + 1900, tm.tm_mon + 1,
                         tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* "3 min 5 s", or "3 min" if nothing of the smaller unit is left. */
static char* format_units(uint64_t large, const char *large_unit, uint64_t small, const char *small_unit) {
        if (small == 0)
                return xasprintf("%" PRIu64 " %s", large, large_unit);
        return xasprintf("%" PRIu64 " %s %" PRIu64 " %s", large, large_unit, small, small_unit);
}

/**
 * clock_format_span() - write how long something took, for people
 * @usec:       the time; what is cut off is not rounded up
 *
 * Return: "0.4 s", "12 s", "3 min 5 s", "2 d 4 h" or "forever"; the caller frees.
 */
char* clock_format_span(uint64_t usec) {
        uint64_t s = usec / USEC_PER_SEC;

        if (usec == USEC_INFINITY)
                return xstrdup("forever");
        if (s < 10)
                return xasprintf("%" PRIu64 ".%" PRIu64 " s", s, usec % USEC_PER_SEC / 100000);
        if (s < 60)
                return xasprintf("%" PRIu64 " s", s);
        if (s < 3600)
                return format_units(s / 60, "min", s % 60, "s");
        if (s < 86400)
                return format_units(s / 3600, "h", s % 3600 / 60, "min");
        return format_units(s / 86400, "d", s % 86400 / 3600, "h");
}

/**
 * clock_build_date() - when this program was built
 *
 * The same for every build of one source (SOURCE_DATE_EPOCH, else the date of the newest commit), so that
 * builds can be reproduced. What it is for: a machine whose clock shows an earlier time has a wrong clock.
 *
 * Return: seconds since 1970.
 */
int64_t clock_build_date(void) {
        return HARDWAY_BUILD_DATE;
}
