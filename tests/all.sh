#!/bin/sh
# All tests, on a fresh Debian or Ubuntu machine with Rust: installs the programs that the tests use, then runs them.
# Usage: tests/all.sh [arguments of `cargo test`]
set -eu
cd "$(dirname "$0")/.."
# Servers stand in /usr/sbin, which is not in every user's PATH.
PATH="$PATH:/usr/sbin"

has() {
    case "$1" in
        # Other packages have these programs too.
        gcc) command -v cc ;;
        nginx-light) command -v nginx ;;
        apache2-bin) command -v apache2 ;;
        varnish) command -v varnishd ;;
        # Ubuntu has no such package; Chrome does as well.
        chromium) command -v chromium || command -v google-chrome ;;
        curl | openssl | python3 | haproxy | npm | nodejs) command -v "${1%js}" ;;
        *) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
    esac >/dev/null
}

missing=""
# Debian keeps npm apart from its nodejs; other Node.js packages contain it.
for package in python3 gcc clamav npm $(tests/engines/engines.sh packages) $(grep -v '^#' corpus/build/packages.txt); do
    has "$package" || missing="$missing $package"
done

# The tests start the servers themselves, as ordinary processes; the packages' own services are not wanted, now or at the next
# boot. systemd is told so before there is a unit; without it, the runlevel of a machine under repair says it.
install() {
    units=""
    if [ -d /run/systemd/system ]; then
        for unit in nginx haproxy varnish varnishncsa clamav-freshclam; do
            systemctl cat "$unit.service" >/dev/null 2>&1 || units="$units $unit.service"
        done
    fi
    # shellcheck disable=SC2086
    [ -z "$units" ] || $sudo systemctl mask --runtime $units || return
    status=0
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
        $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "$@" || status=$?
    # shellcheck disable=SC2086
    [ -z "$units" ] || $sudo systemctl unmask --runtime $units || return
    for unit in $units; do
        ! systemctl cat "$unit" >/dev/null 2>&1 || $sudo systemctl disable "$unit"
    done
    return "$status"
}

if [ -n "$missing" ]; then
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo="sudo"
    by_hand="apt-get install --no-install-recommends$missing"
    if ! command -v apt-get >/dev/null 2>&1 || { [ -n "$sudo" ] && ! command -v sudo >/dev/null 2>&1; }; then
        echo "the tests need these packages of Debian or Ubuntu, and they can't be installed from here:$missing" >&2
        echo "as root, \`$by_hand\`; then run this again" >&2
        exit 1
    fi
    echo "installing:$missing" >&2
    # shellcheck disable=SC2086
    install $missing || {
        echo "not installed; by hand, as root: \`$by_hand\`" >&2
        exit 1
    }
fi

# The Python packages that make and check the corpus, apart from the machine's own; anew when their list changes.
venv=target/corpus-venv
list=corpus/build/requirements.txt
if ! cmp -s "$list" "$venv/requirements.txt" || ! "$venv/bin/python" -c '' 2>/dev/null; then
    python=""
    # Debian's own first: another one in the PATH may be older, or built without what a virtual environment needs.
    for candidate in /usr/bin/python3 python3; do
        "$candidate" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        python="$candidate"
        break
    done
    [ -n "$python" ] || {
        echo "the corpus is checked with Python 3.11 or later and its module \`venv\`, and there is none" >&2
        exit 1
    }
    echo "installing into $venv: $(grep -cv '^#' "$list") Python packages" >&2
    { "$python" -m venv --clear "$venv" && "$venv/bin/python" -m pip install --quiet -r "$list"; } || {
        echo "the Python packages of $list are not installed: they come from PyPI, or from the index that pip is set to" >&2
        exit 1
    }
    cp "$list" "$venv/"
fi

# The npm packages, the same way.
node=target/corpus-node
list=corpus/build/packages-npm.txt
if ! cmp -s "$list" "$node/packages-npm.txt"; then
    rm -rf "$node"
    # shellcheck disable=SC2046
    npm install --silent --prefix "$node" --no-package-lock $(grep -v '^#' "$list") || {
        echo "the packages of $list are not installed: they come from npm's registry, or from the one that npm is set to" >&2
        exit 1
    }
    cp "$list" "$node/"
fi
# The programs under test append to what a pipeline names here.
unset GITHUB_OUTPUT GITHUB_STEP_SUMMARY
exec cargo test --locked --all-targets "$@"
