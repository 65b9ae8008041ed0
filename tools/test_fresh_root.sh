#!/usr/bin/env bash
# Proves that a fresh machine needs nothing but git, make, python3 and root: makes a minimal Debian root with
# debootstrap, clones this repository's HEAD into it, runs make targets there and prints their times.
# Run as root; needs debootstrap. Takes about 2 GB in the system's temporary folder.
#
#   tools/test_fresh_root.sh [TARGET...]     default: demo test
#
#   ROOT=FOLDER      make the root there and keep it; or use the one that is there (an unpacked Ubuntu base image, say)
#   SUITE=bookworm   the Debian release to make
#   MIRROR=URL       where from (default: as this machine's apt sources say)
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
  echo "fresh-root: $1" >&2
  exit 1
}

[ $# -gt 0 ] || set -- demo test
suite=${SUITE:-bookworm}
[ "$(id -u)" = 0 ] || die "run as root: mounts need it"
command -v debootstrap >/dev/null || die "apt-get install debootstrap first"
# shellcheck disable=SC2016  # apt's own variables
mirror=${MIRROR:-$(apt-get indextargets --format '$(SITE) $(RELEASE)' |
  awk -v suite="$suite" '$2 == suite { print $1; exit }')}
mirror=${mirror:-http://deb.debian.org/debian}

root=${ROOT:-$(mktemp -d)}
mkdir -p "$root"
chmod 755 "$root"  # mktemp makes it private, and sandboxed users must get through
[ -n "${ROOT:-}" ] || trap 'rm -rf --one-file-system "$root"' EXIT

# Runs a command with the new root as /, in namespaces of its own, so that mounts and processes end with it. (Not a
# plain chroot: the kernel refuses user namespaces there, and the sandbox could not show itself.) The command gets a
# plain user's PATH, without sbin, and of this environment only what pip needs to reach its index.
inside() {
  # shellcheck disable=SC2016  # the inner shell's own variables
  unshare --mount --pid --fork --kill-child sh -eu -c '
    mount --bind "$1" "$1"
    mount -t proc proc "$1/proc"
    mount --rbind /sys "$1/sys"
    mount --rbind /dev "$1/dev"
    cd "$1"
    shift
    pivot_root . .
    /bin/umount --lazy .
    /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/root LANG=C.UTF-8 "$@"
    exit 0  # keeps this shell: were make process 1 here, it could not end itself on a signal
  ' inside "$root" "${pip_environment[@]}" "$@"
}

if [ ! -e "$root/etc/debian_version" ]; then
  start=$SECONDS
  debootstrap --variant=minbase --include=git,make,python3,ca-certificates "$suite" \
    "$root" "$mirror" >"$root.log" 2>&1 || { tail "$root.log" >&2; die "debootstrap failed"; }
  rm "$root.log"
  echo "fresh-root: minimal $suite made in $((SECONDS - start)) s"
fi

# The way to the package servers is this machine's: name resolution, proxies, certificates, apt's and pip's settings.
cp /etc/resolv.conf "$root/etc/resolv.conf"
apt-config dump | grep -E '^Acquire::(Check|http|https|Retries)' >"$root/etc/apt/apt.conf.d/90host" || true
if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
  cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
fi
[ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$root/etc/pip.conf"
mapfile -t pip_environment < <(env | grep -Ei '^(PIP_|SSL_CERT_|REQUESTS_CA_BUNDLE|(https?|no)_proxy=)' |
  grep -v '^PIP_FIND_LINKS=')

inside /usr/sbin/update-ca-certificates >/dev/null 2>&1
inside sh -c '! command -v nvcc' || die "there is an nvcc on PATH"

rm -rf "$root/root/flashlab"
git clone --quiet --no-hardlinks . "$root/root/flashlab"
echo "fresh-root: $(git describe --always) cloned"
total=$SECONDS
for target in "$@"; do
  start=$SECONDS
  inside make -C /root/flashlab "$target" || die "make $target FAILED"
  echo "fresh-root: make $target passed in $((SECONDS - start)) s on $(nproc) cores"
done
echo "fresh-root: $* passed in $((SECONDS - total)) s in all"
