#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hardway-notify KIND NAME STATE [PRIORITY] - keeps what keepalived says of itself where hardway finds it
echo "$3 $(date +%s)" >/run/hardway/keepalived.state
