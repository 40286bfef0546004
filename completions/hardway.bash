# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Completion for bash: hardway itself says what may come next.

_hardway() {
        local current=${COMP_WORDS[COMP_CWORD]} answer
        mapfile -t answer < <("$1" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
        if [ "$current" = = ]; then current=; fi
        case ${answer[0]-} in
        :files | :directories)
                compopt -o filenames
                if [ "${answer[0]}" = :files ]; then
                        mapfile -t COMPREPLY < <(compgen -f -- "$current")
                else
                        mapfile -t COMPREPLY < <(compgen -d -- "$current")
                fi
                ;;
        *) COMPREPLY=("${answer[@]}") ;;
        esac
}

complete -F _hardway hardway
