/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"

/*
 * What somebody else wrote, for people to read without the secrets in it
 *
 * No list of words is complete: where nothing but somebody else's hand made a file, it is not to be shown at all.
 */
void hide_secrets(const Buffer *found, const Buffer *planned, Buffer *ret);
