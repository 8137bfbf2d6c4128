# shellcheck shell=sh disable=SC2034,SC2086,SC2154 # script/image, which sources it, sets made and podman, and reads rust and base.
# Makes base images of the Debian packages that those of the Containerfile have: sets $rust and $base.

debian=$made/debian
if [ ! -d "$debian" ]; then
    rm -rf "$debian.part"
    run debootstrap --variant=minbase --include=ca-certificates,g++,libssl-dev,make,patch \
        bookworm "$debian.part" >"$made/log" || die "the Debian cannot be had; see $made/log"
    mv "$debian.part" "$debian"
fi

# To compile: with the Rust of this machine, and the certificates that it trusts, with which Cargo downloads crates.
rust=localhost/rust:$(rustc --version | cut -d ' ' -f 2)
if ! $podman image exists "$rust"; then
    tar --create --directory="$debian" . | $podman import --quiet - localhost/debian
    $podman build --quiet --isolation chroot --volume /etc/ssl/certs:/machine:ro --tag "$rust" --file - "$(rustc --print sysroot)" <<END
FROM localhost/debian
RUN cp --dereference /machine/ca-certificates.crt /etc/ssl/certs/
COPY bin /usr/local/bin/
COPY lib /usr/local/lib/
ENV CARGO_HOME=/usr/local/cargo
END
fi

# To run: no more than the libraries that the program is linked with, and the CA certificates.
base=localhost/base
if ! $podman image exists "$base"; then
    rm -rf "$made/base"
    mkdir -p "$made/base/etc/ssl/certs"
    for package in libc6 libgcc-s1 libssl3 libstdc++6; do
        dpkg-deb --extract "$debian/var/cache/apt/archives/${package}"_*.deb "$made/base"
    done
    cp "$debian/etc/ssl/certs/ca-certificates.crt" "$made/base/etc/ssl/certs/"
    tar --create --directory="$made/base" . | $podman import --quiet - "$base"
fi
