# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# The stages of tests/run, in order. Each is a function stage_NAME that leaves JUnit files named NAME*.xml in
# $results and returns non-zero when something failed.

stages=(packages build units cli checks)
if [ "$tier" != quick ]; then
        stages+=(sanitizers clang trixie faults lab)
fi

stage_skipped() {
        case $1 in
        packages) [ "$(id -u)" = 0 ] || echo "needs root to install packages" ;;
        trixie | faults | lab) [ "$(id -u)" = 0 ] || echo "needs root" ;;
        esac
}

# configure DIRECTORY MESON-ARGUMENTS...: once; again only if the arguments or the list of tests have changed
configure() {
        local directory=$1 list
        shift
        list=$(./meson/unit-tests.sh tests/unit | cksum)
        if [ "$(cat "$directory/.arguments" 2>/dev/null)" != "$* $list" ]; then
                rm -rf "$directory"
                meson setup "$directory" "$@" >"$results/meson.log" 2>&1 || {
                        cat "$results/meson.log"
                        return 1
                }
                echo "$* $list" >"$directory/.arguments"
        fi
        meson compile -C "$directory" >"$results/compile.log" 2>&1 || {
                tail -n 60 "$results/compile.log"
                return 1
        }
}

# meson_tests NAME DIRECTORY: all of meson's tests, their subtests counted from its JUnit report. Some wait for time to pass:
# more run at once than there are processors
meson_tests() {
        local rc=0
        meson test -C "$2" --num-processes $(($(nproc) + 2)) --no-rebuild --print-errorlogs --quiet || {
                rc=1
                ./tests/unit-failures "$2/meson-logs/testlog.txt"
        }
        cp "$2/meson-logs/testlog.junit.xml" "$results/$1.xml" || rc=1
        return $rc
}

# python_tests NAME BUILD WORKERS TESTS...: several at a time, since most of them wait most of the time. Tests that share a
# lab stay together, see tests/lab/conftest.py
python_tests() {
        local name=$1 build=$2 workers=$3
        shift 3
        if "$python" -c "import xdist" 2>/dev/null; then
                set -- -n "$workers" --dist loadgroup "$@"
        else
                echo "$name: one test after the other: python3-pytest-xdist is not here"
        fi
        HARDWAY=$build/hardway PYTHONPATH=$top/tests "$python" -m pytest -q -p no:cacheprovider -p tell --no-summary --junitxml="$results/$name.xml" "$@"
}

stage_packages() {
        ./lab/packages
}

stage_build() {
        configure "$builds/plain" --buildtype=debugoptimized -Dwerror=true
}

stage_units() {
        meson_tests units "$builds/plain"
}

stage_cli() {
        python_tests cli "$builds/plain" 4 tests/cli tests/golden
}

stage_checks() {
        "$python" tests/tally.py run "$results" checks tests/check
}

stage_sanitizers() {
        configure "$builds/sanitizers" --buildtype=debugoptimized -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false || return 1
        export ASAN_OPTIONS=detect_leaks=1:halt_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
        local rc=0
        meson_tests sanitizers "$builds/sanitizers" || rc=1
        python_tests sanitizers-cli "$builds/sanitizers" 4 tests/cli tests/golden || rc=1
        return $rc
}

stage_clang() {
        CC=clang configure "$builds/clang" --buildtype=debugoptimized -Dwerror=true || return 1
        meson_tests clang "$builds/clang"
}

stage_trixie() {
        ./tests/trixie "$results" "$builds/trixie"
}

stage_faults() {
        python_tests faults "$builds/plain" 0 tests/faults # by itself on several machines at a time
}

stage_lab() {
        local rc=0
        export HARDWAY_SANITIZED=$builds/sanitizers/hardway
        # three emulated controllers want both processors for themselves
        python_tests lab-arm64 "$builds/plain" 0 tests/lab/test_arm64.py || rc=1
        python_tests lab "$builds/plain" 2 tests/lab --ignore tests/lab/test_arm64.py || rc=1
        return $rc
}
