# Sourced by tests that need a machine with nothing on it: a minimal Debian root, and commands run with it as /.
#
#   ROOT=FOLDER      make the root there and keep it; or use the one that is there (an unpacked Ubuntu base image, say)
#   SUITE=bookworm   the Debian release to make
#   MIRROR=URL       where from (default: as this machine's apt sources say)
#
# Needs root and debootstrap. Takes about 2 GB in the system's temporary folder.
# shellcheck shell=bash

die() {
  echo "$(basename "$0" .sh): $1" >&2
  exit 1
}

# What pip needs to reach its index.
mapfile -t pip_environment < <(env | grep -Ei '^(PIP_|SSL_CERT_|REQUESTS_CA_BUNDLE|(https?|no)_proxy=)' |
  grep -v '^PIP_FIND_LINKS=')

# Makes the root, or takes the one that is there, and gives it this machine's way to the package servers. Sets root.
make_root() {
  local suite=${SUITE:-bookworm} mirror start=$SECONDS
  [ "$(id -u)" = 0 ] || die "run as root: mounts need it"
  command -v debootstrap >/dev/null || die "apt-get install debootstrap first"
  # shellcheck disable=SC2016  # apt's own variables
  mirror=${MIRROR:-$(apt-get indextargets --format '$(SITE) $(RELEASE)' |
    awk -v suite="$suite" '$2 == suite { print $1; exit }')}

  root=${ROOT:-$(mktemp -d)}
  mkdir -p "$root"
  chmod 755 "$root"  # mktemp makes it private, and sandboxed users must get through
  [ -n "${ROOT:-}" ] || trap 'rm -rf --one-file-system "$root"' EXIT
  if [ ! -e "$root/etc/debian_version" ]; then
    debootstrap --variant=minbase --include=git,make,python3,ca-certificates "$suite" \
      "$root" "${mirror:-http://deb.debian.org/debian}" >"$root.log" 2>&1 ||
      { tail "$root.log" >&2; die "debootstrap failed"; }
    rm "$root.log"
    echo "minimal $suite made in $((SECONDS - start)) s"
  fi

  # Name resolution, proxies, certificates, apt's and pip's settings.
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  apt-config dump | grep -E '^Acquire::(Check|http|https|Retries)' >"$root/etc/apt/apt.conf.d/90host" || true
  if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
    cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
  fi
  [ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$root/etc/pip.conf"
  inside /usr/sbin/update-ca-certificates >/dev/null 2>&1
  inside sh -c '! command -v nvcc' || die "there is an nvcc on PATH"
}

# Runs a command with the new root as /, in namespaces of its own, so that mounts and processes end with it. (Not a
# plain chroot: the kernel refuses user namespaces there, and the sandbox could not show itself.) The command gets a
# plain user's PATH, without sbin, and of this environment only what pip needs.
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
