/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Commands in advice, for the cluster file that is in use. */
char* hint_complete(const char *path, const char *text);
