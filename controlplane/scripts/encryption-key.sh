# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Which keys has the apiserver that runs, in their order? They stay where they are; only a digest of each, with its name, is told.

: "${H_CONFIG:?}"
if systemctl is-active --quiet kube-apiserver.service && [ -e "$H_CONFIG" ]; then
        echo configured
        sed -n -e 's/^[ -]*name: *"\{0,1\}\([^" ]*\)"\{0,1\} *$/name \1/p' \
                -e 's/^[ -]*secret: *"\{0,1\}\([^" ]*\)"\{0,1\} *$/secret \1/p' "$H_CONFIG" |
                while read -r h_what h_text; do
                        case $h_what in
                        name) h_name=$h_text ;;
                        secret) printf '%s %s' "${h_name:-}" "$h_text" | sha256sum ;;
                        esac
                done
fi
