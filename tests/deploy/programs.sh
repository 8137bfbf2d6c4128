# shellcheck shell=sh disable=SC2154 # script/setup.sh sets target and manager.
# Gets kubectl and promtool, which read what is in deploy/. script/test sources it after script/setup.sh.
#
# Debian packages both; they are unpacked below the target folder and not installed, because Prometheus' package starts a
# server. Sets CALC_KUBECTL and CALC_PROMTOOL to their paths. One that this system does not provide is empty: tests/deploy.rs
# then says what it skips.

# The package lists may be missing or old.
download() {
    # shellcheck disable=SC2086 # lists of words
    apt-get download "$1" || { may_install && $sudo $update && apt-get download "$1"; }
}

# unpack PACKAGE PATH: prints the path of this file of the package.
unpack() {
    folder=$target/programs/$1
    if [ ! -x "$folder/$2" ]; then
        rm -rf "$folder"
        mkdir -p "$folder"
        (cd "$folder" && download "$1" && dpkg-deb --extract "$1"_*.deb . && rm "$1"_*.deb) >"$folder.log" 2>&1 || {
            tail -n 5 "$folder.log" >&2
            return 1
        }
    fi
    printf '%s\n' "$folder/$2"
}

get_deploy_programs() {
    export CALC_KUBECTL='' CALC_PROMTOOL=''
    find_manager
    if [ "$manager" = apt-get ]; then
        CALC_KUBECTL=$(unpack kubernetes-client usr/bin/kubectl) || CALC_KUBECTL=
        CALC_PROMTOOL=$(unpack prometheus usr/bin/promtool) || CALC_PROMTOOL=
    fi
    [ -n "$CALC_KUBECTL" ] || say "WITHOUT kubectl: Debian packages it. deploy/kubernetes is checked without it."
    [ -n "$CALC_PROMTOOL" ] || say "WITHOUT promtool: Debian packages it. The tests of deploy/prometheus are skipped."
}
