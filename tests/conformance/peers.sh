# shellcheck shell=sh disable=SC2154 # script/setup.sh sets target and manager.
# Gets the programs that others wrote for gRPC's interop tests. script/test sources it after script/setup.sh.
#
# - Debian packages those of gRPC's Ruby library (ruby-grpc).
# - It compiles grpc-go, but leaves out its `interop` folder: that comes from the source package of the same version, and is
#   compiled with Debian's packages, without Go modules.
#
# Sets CALC_GRPC_GO and CALC_GRPC_RUBY to their folders. One that this system does not provide is empty: tests/conformance/
# then says which tests it skips.

grpc_go=$target/conformance/grpc-go
# Debian's Go packages.
gocode=/usr/share/gocode

# apt-get with package lists of its own, which have the source packages of every source that the system has.
apt_get_source() {
    apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$grpc_go/apt/sources" \
        -o Dir::State::Lists="$grpc_go/apt/lists" -o Dir::Cache="$grpc_go/apt/cache" -o APT::Sandbox::User="$(id -un)" "$@"
}

# Writes the sources of these lists, in either format, as sources of source packages.
write_source_lists() {
    mkdir -p "$grpc_go/apt/sources" "$grpc_go/apt/lists/partial" "$grpc_go/apt/cache/archives/partial" || return
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        [ ! -r "$list" ] || sed -e 's/^deb /deb-src /' -e 's/^Types:.*/Types: deb-src/' "$list" \
            >"$grpc_go/apt/sources/${list##*/}" || return
    done
}

# Lays out Debian's package of grpc-go together with what it leaves out of the source.
unpack_grpc_go() {
    version=$(dpkg-query --show --showformat='${source:Version}' golang-google-grpc-dev) &&
        write_source_lists &&
        apt_get_source update &&
        (cd "$grpc_go/apt" && apt_get_source source --download-only "golang-google-grpc=$version") &&
        mkdir -p "$grpc_go/src/google.golang.org/grpc" &&
        tar -xf "$grpc_go"/apt/golang-google-grpc_*.orig.tar.* --strip-components=1 -C "$grpc_go/src/google.golang.org/grpc" &&
        cp -R "$gocode/src/google.golang.org/grpc" "$grpc_go/src/google.golang.org"
}

# The messages are generated again, for Debian's version of Go's protobuf.
compile_grpc_go() {
    plugin=google.golang.org/protobuf/cmd/protoc-gen-go
    [ -d "$gocode/src/$plugin" ] || plugin=github.com/golang/protobuf/protoc-gen-go
    messages=$grpc_go/src/google.golang.org/grpc/interop/grpc_testing
    go build -o "$grpc_go/protoc-gen-go" "$plugin" &&
        for proto in "$messages"/*.proto; do
            rm -f "${proto%.proto}.pb.go" &&
                protoc -I "$grpc_go/src" --plugin="$grpc_go/protoc-gen-go" --go_out="$grpc_go/src" "$proto" || return
        done &&
        go build -o "$grpc_go/server" google.golang.org/grpc/interop/server &&
        go build -o "$grpc_go/client" google.golang.org/grpc/interop/client
}

# Builds grpc-go's programs unless they are built already.
build_grpc_go() {
    [ ! -x "$grpc_go/client" ] || return 0
    say "Compiling grpc-go's interop tests, once for this folder: about a minute."
    rm -rf "$grpc_go"
    mkdir -p "$grpc_go"
    export GO111MODULE=off GOFLAGS='' GOPATH="$grpc_go:$gocode" GOCACHE="$grpc_go/cache"
    { unpack_grpc_go && compile_grpc_go; } >"$grpc_go/log" 2>&1 || {
        tail -n 5 "$grpc_go/log"
        return 1
    }
}

# Installs and builds what this system provides.
get_conformance_peers() {
    export CALC_GRPC_GO='' CALC_GRPC_RUBY=''
    find_manager
    if [ "$manager" != apt-get ]; then
        say "WITHOUT grpc-go and Ruby for gRPC's interop tests: only Debian packages them. Those tests are skipped."
        return
    fi
    install_optional go ruby-grpc xz
    if has go && has xz && build_grpc_go; then
        CALC_GRPC_GO=$grpc_go
    else
        say "WITHOUT grpc-go for gRPC's interop tests: those are skipped."
    fi
    # A list of one.
    for file in /usr/lib/*/rubygems-integration/*/gems/grpc-*/src/ruby/pb/test/client.rb; do
        [ ! -f "$file" ] || CALC_GRPC_RUBY=${file%/pb/test/client.rb}
    done
    [ -n "$CALC_GRPC_RUBY" ] || say "WITHOUT Ruby for gRPC's interop tests: those are skipped."
}
