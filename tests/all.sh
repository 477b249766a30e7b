#!/bin/sh
# All tests, on a fresh Debian or Ubuntu machine with Rust: installs the programs that the tests use, then runs them.
# Usage: tests/all.sh [arguments of `cargo test`]
set -eu
cd "$(dirname "$0")/.."

# program:package
needed="curl:curl nginx:nginx-light python3:python3 openssl:openssl cc:gcc"

missing=""
for pair in $needed; do
    # nginx stands in /usr/sbin, which is not in every user's PATH.
    PATH="$PATH:/usr/sbin" command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
if [ -n "$missing" ]; then
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo="sudo"
    if ! command -v apt-get >/dev/null 2>&1 || { [ -n "$sudo" ] && ! command -v sudo >/dev/null 2>&1; }; then
        echo "the tests need these packages, and they can't be installed from here:$missing" >&2
        echo "install them by hand, then run this again" >&2
        exit 1
    fi
    echo "installing:$missing" >&2
    # The tests start nginx themselves, as an ordinary process; the package's own service is not wanted.
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing
fi
exec cargo test --locked --all-targets "$@"
