/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text that others wrote, for people to read. */

#define TEXT_LINES 1u  /* line breaks and tabs stay */
#define TEXT_COLORS 2u /* so do colours, which are ours */

char* text_harmless(char *s, unsigned keep); /* in place; returns s */
