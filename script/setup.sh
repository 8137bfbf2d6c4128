# shellcheck shell=sh
# What script/demo and script/test share: the tools, the Python environment and the build.
# They source it with the project's root as the current directory.

set -eu
# Give every background job a process group of its own, so that a job can be stopped with
# all that it started.
set -m

target=${CARGO_TARGET_DIR:-target}
case $target in
/*) ;;
*) target=$PWD/$target ;;
esac
export CARGO_TARGET_DIR="$target"

python=$target/python/venv/bin/python
stubs=$target/python/stubs

# Rustup's own place, which a shell that was open during its installation does not know yet.
rustup_bin=${CARGO_HOME:-${HOME:-}/.cargo}/bin
case :$PATH: in
*:"$rustup_bin":*) ;;
*) [ ! -x "$rustup_bin/cargo" ] || PATH=$rustup_bin:$PATH ;;
esac

say() { printf '%s\n' "$*"; }

heading() { printf '\n== %s\n' "$*"; }

die() {
    printf '\n%s: %s\n' "$0" "$*" >&2
    exit 1
}

run() {
    say "+ $*"
    "$@"
}

# --- Processes -----------------------------------------------------------------------------

jobs=

# start COMMAND...: runs it in the background; its process id is in $job.
start() {
    "$@" </dev/null &
    job=$!
    jobs="$jobs $job"
}

# wait_for SECONDS PID: waits until it has ended, and returns its exit status.
wait_for() {
    deadline=$(($(date +%s) + $1))
    while kill -0 "$2" 2>/dev/null; do
        [ "$(date +%s)" -lt "$deadline" ] || return 124
        sleep 0.2 2>/dev/null || sleep 1
    done
    wait "$2"
}

# stop PID: ends a job and all that it started, politely at first.
stop() {
    signal "$1" TERM
    wait_for 10 "$1" 2>/dev/null || :
    signal "$1" KILL
}

signal() { kill -"$2" "-$1" 2>/dev/null || kill -"$2" "$1" 2>/dev/null || :; }

# Nothing that was started outlives the script.
clean_up() {
    status=$?
    trap - EXIT
    trap '' HUP INT TERM
    for job in $jobs; do
        signal "$job" TERM
    done
    for job in $jobs; do
        stop "$job"
    done
    exit "$status"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
