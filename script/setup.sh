# shellcheck shell=sh
# Shared by the other scripts, which source it in the project's root: tools, processes, Python's packages, the build.

set -eu

target=${CARGO_TARGET_DIR:-target}
case $target in
/*) ;;
*) target=$PWD/$target ;;
esac
export CARGO_TARGET_DIR="$target"
# Where Cargo puts what it builds.
release=$target/release

# Local servers are not behind a proxy.
export no_grpc_proxy=localhost,127.0.0.1,::1

say() { printf '%s\n' "$*"; }

heading() { printf '\n== %s\n' "$*"; }

run() {
    say "+ $*"
    "$@"
}

works() { "$@" >/dev/null 2>&1; }

die() {
    printf '\n%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# BORINGSSL=1: with a BoringSSL that is compiled here, instead of the system's OpenSSL.
features=
[ "${BORINGSSL:-}" != 1 ] || features='--no-default-features --features boringssl,mimalloc'

# --- Tools ---------------------------------------------------------------------------------

# Rustup's folder, which may be missing from the PATH of a shell that was open during the installation.
rustup_bin=${CARGO_HOME:-${HOME:-}/.cargo}/bin
case :$PATH: in
*:"$rustup_bin":*) ;;
*) [ ! -x "$rustup_bin/cargo" ] || PATH=$rustup_bin:$PATH ;;
esac

# The minimum, Rust 1.N, from Cargo.toml.
rust_minor=$(sed -n 's/^rust-version = "1\.\([0-9]*\).*/\1/p' Cargo.toml)

rust_is_new_enough() {
    minor=$(rustc --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -ge "$rust_minor" ] && works cargo --version
}

# The tools to install. A script that needs more appends to this.
tools='rust c++ cmake make patch openssl python'

has() {
    case $1 in
    rust) rust_is_new_enough ;;
    c++) works cc --version && works c++ --version ;;
    openssl) has_openssl ;;
    python) works python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' ;;
    grpc++) works pkg-config --exists grpc++ protobuf && works command -v grpc_cpp_plugin && works protoc --version ;;
    go) works go version && [ -d /usr/share/gocode/src/google.golang.org/grpc ] && works protoc --version ;;
    node) works node --version && works npm --version ;;
    java-grpc) works javac --version && [ -e /usr/share/java/grpc-netty.jar ] && [ -e /usr/share/java/netty-codec-http2.jar ] &&
        [ -e /usr/share/java/netty-tcnative.jar ] && [ -e /usr/share/java/protobuf.jar ] &&
        [ -e /usr/share/java/perfmark-api.jar ] && works protoc --version ;;
    haproxy | nginx) works "$1" -v ;;
    ip) works ip -V ;;
    ruby-grpc) works ruby -rgrpc -e 'exit' && works protoc --version ;;
    *) works "$1" --version ;;
    esac
}

# OpenSSL 3's headers; BoringSSL needs none. Homebrew keeps them where only CMake looks.
has_openssl() {
    [ "${BORINGSSL:-}" = 1 ] || works brew --prefix openssl@3 ||
        { printf '#include <openssl/opensslv.h>\n#if OPENSSL_VERSION_MAJOR < 3\n#error\n#endif\n' | works cc -E -; }
}

missing_tools() {
    for tool in $tools; do
        has "$tool" || say "$tool"
    done
}

# The packages that contain the missing tools, by the package manager's names.
packages() {
    for tool in $missing; do
        case $manager:$tool in
        apt-get:rust) packaged_rust_is_too_old || say cargo ca-certificates ;;
        dnf:rust) packaged_rust_is_too_old || say cargo ;;
        apt-get:c++) say g++ ;;
        apt-get:openssl) say libssl-dev ;;
        apt-get:python) say python3-venv ;;
        dnf:c++) say gcc-c++ ;;
        dnf:openssl) say openssl-devel ;;
        dnf:python) say python3 ;;
        brew:c++ | brew:make | brew:patch) ;; # Apple's command line tools
        brew:openssl) say openssl@3 ;;
        apt-get:h2load) say nghttp2-client ;;
        dnf:h2load | brew:h2load) say nghttp2 ;;
        apt-get:grpc++) say libgrpc++-dev libprotobuf-dev protobuf-compiler-grpc pkg-config ;;
        apt-get:go) say golang-go golang-google-grpc-dev protobuf-compiler ;;
        apt-get:systemd-nspawn) say systemd-container ;;
        apt-get:nginx) say nginx-light ;;
        apt-get:ip) say iproute2 ;;
        dnf:ip) say iproute ;;
        apt-get:xz) say xz-utils ;;
        *:node) say nodejs npm ;;
        apt-get:java-grpc)
            say default-jdk-headless libgrpc-java libguava-java libjsr305-java libnetty-java libnetty-tcnative-java \
                libopencensus-java libperfmark-java libprotobuf-java protobuf-compiler
            ;;
        apt-get:ruby-grpc) say ruby-grpc protobuf-compiler ;;
        *:llvm-symbolizer) say llvm ;;
        *) say "$tool" ;;
        esac
    done | tr '\n' ' '
}

packaged_rust_is_too_old() {
    case $manager in
    apt-get) minor=$(LC_ALL=C apt-cache policy rustc | sed -n 's/^ *Candidate: 1\.\([0-9]*\).*/\1/p') ;;
    dnf) minor=$(LC_ALL=C dnf -q info rust 2>/dev/null | sed -n 's/^Version *: 1\.\([0-9]*\).*/\1/p' | tail -n 1) ;;
    esac
    [ -n "$minor" ] && [ "$minor" -lt "$rust_minor" ]
}

# Sets $manager, $update, $install and $sudo; $manager is empty if no known package manager is installed.
find_manager() {
    for manager in apt-get dnf brew; do
        ! works command -v "$manager" || break
        manager=
    done
    case $manager in
    apt-get) update='apt-get update' install='env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends' ;;
    dnf) update='dnf makecache' install='dnf install -y' ;;
    brew) update='brew update' install='brew install' ;;
    esac
    sudo=
    if [ "$manager" != brew ] && [ "$(id -u)" -ne 0 ]; then
        sudo=sudo
    fi
}

# Without a terminal sudo cannot ask for a password.
may_install() { [ -z "$sudo" ] || works sudo -n true || { works command -v sudo && [ -t 0 ]; }; }

# Installs the missing tools; silent if there are none.
install_missing() {
    missing=$(missing_tools | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    say "Missing: $missing"

    find_manager
    if [ -n "$manager" ] && [ -n "$(packages)" ]; then
        may_install || die "sudo cannot be used here. Please run this as root, and then $0 again:
    $update
    $install $(packages)"
        # shellcheck disable=SC2046,SC2086 # lists of words
        {
            run $sudo $update
            [ -z "$(packages)" ] || run $sudo $install $(packages)
        }
    fi

    missing=$(missing_tools | tr '\n' ' ')
    [ -z "$missing" ] || die "please install what is still missing, and run this again: $missing
It takes Rust 1.$rust_minor or newer (https://rustup.rs, or rustup update), Python 3.10 or newer with
its venv module, cmake, make, patch, OpenSSL 3 with its headers and a C++ compiler (on macOS:
xcode-select --install)."
}

# install_optional TOOL...: installs the missing ones if possible, and goes on without the others.
install_optional() {
    updated=
    for missing in "$@"; do
        ! has "$missing" || continue
        say "Missing: $missing"
        find_manager
        # shellcheck disable=SC2046,SC2086 # lists of words
        if [ -z "$manager" ] || ! may_install; then
            say "WITHOUT $missing: it cannot be installed from here."
        elif [ -z "$updated" ] && ! run $sudo $update; then
            say "WITHOUT $missing: the package lists cannot be updated."
        elif updated=yes && ! run $sudo $install $(packages); then
            say "WITHOUT $missing: it cannot be installed."
        fi
    done
}

# --- Processes -----------------------------------------------------------------------------

# In a session of its own, a job can be stopped together with its child processes.
setsid=$(command -v setsid || :)
jobs=

# start COMMAND...: runs it in the background; $job is its process id.
start() {
    $setsid "$@" </dev/null &
    job=$!
    jobs="$jobs $job"
}

is_running() { kill -0 "$1" 2>/dev/null; }

# wait_for SECONDS JOB: returns its exit status, or 124 if it is still running after that time.
wait_for() {
    give_up=$(($(date +%s) + $1))
    while is_running "$2"; do
        [ "$(date +%s)" -lt "$give_up" ] || return 124
        sleep 0.1 2>/dev/null || sleep 1
    done
    wait "$2" 2>/dev/null
}

# signal NAME JOB: signals the job and its child processes. Fails if none is left.
signal() { kill -"$1" "-$2" 2>/dev/null || kill -"$1" "$2" 2>/dev/null; }

# Leaves no process behind: SIGTERM, and SIGKILL after 10 s.
clean_up() {
    status=$?
    trap - EXIT
    trap '' HUP INT TERM
    for job in $jobs; do
        signal TERM "$job" || continue
        wait_for 10 "$job" || :
        signal KILL "$job" || :
    done
    exit "$status"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- Python --------------------------------------------------------------------------------

venv=$target/python/venv
python=$venv/bin/python
stubs=$target/python/stubs

# The packages to install, here those of the examples. A script that needs more appends to this.
requirements=examples/python/requirements.txt

# Whether the installed packages are those that these files list now. The environment may
# contain more: script/test's has all packages that script/demo needs.
python_is_ready() {
    for file in $requirements; do
        [ "$(cat "$venv/installed/$file" 2>/dev/null)" = "$(cat "$file")" ] || return 1
    done
    works "$python" -c 'import grpc_status, grpc_tools'
}

# Starts to install the packages, unless they are installed; $pip is the job.
start_python() {
    pip=
    ! python_is_ready || return 0
    rm -rf "$venv"
    set --
    for file in $requirements; do
        set -- "$@" -r "$file"
    done
    say "+ python3 -m venv $venv; pip install $*"
    # shellcheck disable=SC2016 # for the shell that is started
    start sh -ec 'python3 -m venv "$1"; shift; exec "$@"' sh "$venv" \
        "$python" -m pip install --quiet --disable-pip-version-check "$@"
    pip=$job
}

# Waits for the installation, and generates Python's stubs of calc.proto and calc_batch.proto.
finish_python() {
    if [ -n "$pip" ]; then
        wait_for 900 "$pip" || die "pip could not install the Python packages."
        for file in $requirements; do
            mkdir -p "$venv/installed/${file%/*}"
            cp "$file" "$venv/installed/$file"
        done
    fi
    mkdir -p "$stubs"
    "$python" -m grpc_tools.protoc -I./protos --python_out="$stubs" --grpc_python_out="$stubs" \
        ./protos/calc.proto ./protos/calc_batch.proto
}

# --- Rust ----------------------------------------------------------------------------------

# The approximate size of gRPC's C core in bytes of object files.
c_core_size=13000000

# Prints how many of these bytes exist; prints nothing if no C core is being compiled.
compiled_bytes() {
    find "$release/build" -path '*/grpcio-sys*/out' -prune 2>/dev/null | while read -r folder; do
        [ -e "$folder/build/libgrpc.a" ] || find "$folder" -name '*.o' -exec cat {} + 2>/dev/null | wc -c
    done | tail -n 1
}

# Runs cargo, and prints progress while the C core compiles, which takes minutes.
cargo_with_progress() {
    start env CARGO_TERM_PROGRESS_WHEN=never cargo "$@"
    cargo=$job
    began=$(date +%s)
    shown=$began
    while is_running "$cargo"; do
        sleep 1
        now=$(date +%s)
        [ $((now - shown)) -ge 15 ] || continue
        shown=$now
        bytes=$(compiled_bytes)
        if [ "${bytes:-0}" -gt 0 ]; then
            percent=$((bytes * 100 / c_core_size))
            [ "$percent" -lt 99 ] || percent=99
            say "     C core: about $percent % compiled after $((now - began)) s"
        fi
    done
    wait "$cargo"
}

# Compiles the C core again if what makes it has changed, which Cargo does not watch.
forget_stale_c_core() {
    made_with=$({
        cat cmake/* patches/grpc/*
        say "${GRPCIO_STOCK_CORE:-} ${GRPCIO_XDS:-}${CFLAGS:-}"
    } | cksum)
    stamp=$release/c-core-made-with
    [ "$(cat "$stamp" 2>/dev/null)" != "$made_with" ] || return 0
    if find "$release/build" -path '*/grpcio-sys*/libgrpc.a' 2>/dev/null | grep -q .; then
        run cargo clean --release --locked -p grpcio-sys
    fi
    mkdir -p "$release"
    echo "$made_with" >"$stamp"
}

# build COMMAND ARGUMENT...: runs cargo, while pip installs Python's packages.
build() {
    start_python
    forget_stale_c_core
    find "$release/build" -path '*/grpcio-sys*/libgrpc.a' 2>/dev/null | grep -q . ||
        say "gRPC's C core is compiled first: two to five minutes on 2 cores, once for this folder."
    command=$1
    shift
    # shellcheck disable=SC2086 # a list of words
    cargo_with_progress "$command" --release --locked $features "$@"
    finish_python
}
