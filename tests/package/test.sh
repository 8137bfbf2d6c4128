# shellcheck shell=sh disable=SC2154 # script/package, which sources it, sets package, release and the rest.
# Tests the package in a clean Debian, of which a copy is booted. Needs root and systemd-nspawn.

heading "Debian's policy"
lintian --allow-root --fail-on error "$package"

heading 'In a clean Debian'
[ "$(id -u)" -eq 0 ] || die '--test needs root, for a container.'
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
root=$target/package/$suite
if [ ! -d "$root" ]; then
    rm -rf "$root.part"
    mkdir -p "$target/package"
    run debootstrap --variant=minbase \
        --include=adduser,ca-certificates,dbus,libssl3,libstdc++6,systemd,systemd-sysv "$suite" "$root.part" >"$target/package/log" ||
        die "the clean Debian cannot be had; see $target/package/log"
    mv "$root.part" "$root"
fi
if ! works systemd-nspawn --quiet --register=no --keep-unit --private-network --read-only "--directory=$root" true; then
    say 'WITHOUT the test in a clean Debian: systemd-nspawn can start no container here.'
    exit
fi
export PYTHONDONTWRITEBYTECODE=1
start "$python" tests/package "$package" "$root" "$release/calc"
wait "$job"
