/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Standard output, to its end
 *
 * stdio says that something could not be written, but not why, and argp ends the program by itself. So standard
 * output is a stream that remembers why its first write failed, after which nothing more is written, and it is
 * closed, and what became of it judged, wherever the program ends: with a reason on standard error, and with
 * EX_IOERR unless it has failed anyway. cancelled: not 0 once the program was told to end: then no reader is waited for.
 */
void streams_begin(const volatile int *cancelled); /* once, before anything is opened or printed */
