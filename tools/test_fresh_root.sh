#!/usr/bin/env bash
# Proves that a fresh machine needs nothing but git, make, python3 and root: makes a minimal Debian or Ubuntu root
# with debootstrap, clones this repository's HEAD into it, runs make targets there and prints their times.
# Run as root; needs debootstrap. Takes about 2 GB under $TMPDIR.
#
#   tools/test_fresh_root.sh [TARGET...]     default: demo test
#
#   SUITE=bookworm|noble    which release (default bookworm)
#   MIRROR=URL              where from (default: this machine's apt sources, else the release's main server)
#   ROOT=FOLDER             use or make the root here and keep it (default: a new one, removed at the end)
set -euo pipefail
cd "$(dirname "$0")/.."

suite=${SUITE:-bookworm}
[ $# -gt 0 ] || set -- demo test
[ "$(id -u)" = 0 ] || { echo "test_fresh_root: run as root (chroot and mount need it)" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "test_fresh_root: apt-get install debootstrap first" >&2; exit 2; }

case $suite in
  noble) mirror=http://archive.ubuntu.com/ubuntu components=main,universe ;;
  *) mirror=http://deb.debian.org/debian components=main ;;
esac
# shellcheck disable=SC2016  # apt's own variables
host_mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 2>/dev/null |
  awk -v suite="$suite" '$2 == suite { print $1; exit }')
mirror=${MIRROR:-${host_mirror:-$mirror}}

root=${ROOT:-$(mktemp -d)}
inside() { # a clean environment: no PATH of this machine, only what pip needs to reach its index
  env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/root LANG=C.UTF-8 "${pip_environment[@]}" chroot "$root" "$@"
}

cleanup() {
  local point
  for point in dev sys proc; do
    ! mountpoint -q "$root/$point" || umount --lazy "$root/$point" || return  # never delete through a live mount
  done
  [ -n "${ROOT:-}" ] || rm -rf --one-file-system "$root"
}
trap cleanup EXIT

if [ ! -e "$root/etc/debian_version" ]; then
  start=$SECONDS
  debootstrap --variant=minbase --components="$components" --include=git,make,python3,ca-certificates \
    "$suite" "$root" "$mirror" >"$root.log" 2>&1 || { tail "$root.log" >&2; exit 1; }
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
mapfile -t pip_environment < <(env | grep -Ei '^(PIP_|SSL_CERT_|REQUESTS_CA_BUNDLE|(https?|no)_proxy=)')
mkdir -p ${PIP_FIND_LINKS:+"$root/$PIP_FIND_LINKS"}

mount -t proc proc "$root/proc"
mount --rbind --make-rslave /sys "$root/sys"
mount --rbind --make-rslave /dev "$root/dev"
inside update-ca-certificates >/dev/null 2>&1
inside sh -c '! command -v nvcc' || { echo "fresh-root: there is an nvcc on PATH" >&2; exit 1; }

rm -rf "$root/root/flashlab"
git clone --quiet --no-hardlinks . "$root/root/flashlab"
echo "fresh-root: $(git describe --always) cloned"
total=$SECONDS
for target in "$@"; do
  start=$SECONDS
  inside make -C /root/flashlab "$target" || { echo "fresh-root: make $target FAILED" >&2; exit 1; }
  echo "fresh-root: make $target passed in $((SECONDS - start)) s on $(nproc) cores"
done
echo "fresh-root: $* passed in $((SECONDS - total)) s in all"
