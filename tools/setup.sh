#!/usr/bin/env bash
# Installs what FlashLab needs and nothing else: Debian packages, the Python environment .venv from the locked
# requirements, and the CUDA compiler (also into .venv) when no nvcc of version 13 or newer is there.
#
#   tools/setup.sh             install what is missing; silent and quick when nothing is
#   tools/setup.sh --check     install nothing: say what is there and what is missing (exit 1 when something is)
#   tools/setup.sh --packages  only the Debian packages, as for the image of a container
#   tools/setup.sh --lint      the tools of `make lint` too
#   tools/setup.sh --handouts  what makes pages and PDFs of the handouts too: pandoc, fonts, and a browser where the
#                              system has it as a package
#   tools/setup.sh --test      the same for `make test`, whose tests look at the handouts and at the report, fuzz with clang
#                              and start a Slurm
#
# FLASHLAB_SKIP_PACKAGES=1 leaves the system's packages alone, for machines that have the tools from elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(g++ cmake ninja-build pkg-config libeigen3-dev libgtest-dev libgmock-dev libzstd-dev liblz4-dev
  nlohmann-json3-dev libtomlplusplus-dev bubblewrap python3-venv util-linux binutils ca-certificates)
lint_packages=(clang-format-14 clang-tidy-14)  # one version everywhere, or files would be formatted back and forth
handout_packages=(pandoc fonts-dejavu-core fonts-noto-cjk fonts-texgyre-math)
# Slurm is started by the tests, which leave the system's configuration alone; clang has libFuzzer.
test_packages=(slurmctld slurmd slurm-client munge clang-14 libclang-rt-14-dev)
browser_package=chromium-headless-shell  # Ubuntu has Chromium only as a snap, whose tests are skipped
min_nvcc=13

# dpkg needs ldconfig and start-stop-daemon, which lie outside the PATH of `su` and of plain users.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
log=$PWD/build/setup.log
venv=$PWD/.venv
python=${PYTHON:-python3}

fail() {
  printf 'set-up: %s\n' "$1" >&2
  exit 1
}

# step "text" command...: runs the command with its output in the log; shows the end of the log when it fails.
step() {
  local text=$1 start=$SECONDS
  shift
  printf 'set-up: %s ... ' "$text"
  mkdir -p build
  if ! "$@" >"$log" 2>&1; then
    printf 'failed\n'
    tail -n 15 "$log" >&2
    fail "could not finish \"$text\"; the whole output is in build/setup.log"
  fi
  printf 'done (%d s)\n' $((SECONDS - start))
}

# ---- Debian packages

# Prints those of the named packages that are not installed.
missing_packages() {
  comm -23 <(printf '%s\n' "$@" | sort) \
    <(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
      sed -n 's/^installed //p' | sort)
}

# Prints the word that gives a command root's rights ("env" for root itself); fails when there is none.
root_word() {
  if [ "$(id -u)" = 0 ]; then
    echo env
  elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; then
    echo sudo
  else
    return 1
  fi
}

install_packages() {
  local root=$1
  shift
  "$root" apt-get update || echo "going on with the package lists at hand"  # one broken source stops nobody
  "$root" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "$@"
}

ensure_packages() {
  [ "${FLASHLAB_SKIP_PACKAGES:-}" != 1 ] || return 0
  command -v apt-get >/dev/null ||
    fail "this system has no apt: install what Debian calls \"${packages[*]}\", then set FLASHLAB_SKIP_PACKAGES=1"
  local missing root
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  root=$(root_word) || fail "these Debian packages are missing and need root or sudo. Ask your administrator for:
  apt-get install ${missing[*]}"
  step "installing ${#missing[@]} Debian packages (a minute or two)" install_packages "$root" "${missing[@]}"
}

# A Chromium that is there already will do; where no package can be had, the tests of the report say that they are skipped.
ensure_browser() {
  command -v chromium-headless-shell chromium google-chrome >/dev/null && return
  [ "${FLASHLAB_SKIP_PACKAGES:-}" != 1 ] && apt-cache show "$browser_package" >/dev/null 2>&1 || return 0
  ensure_packages "$browser_package"
}

# ---- Python environment and CUDA compiler

# Prints the first nvcc of version 13 or newer: on PATH, in .venv, or in the toolkit's usual place.
find_nvcc() {
  local nvcc version
  for nvcc in "$(command -v nvcc || true)" "$venv"/lib/python3*/site-packages/nvidia/cu13/bin/nvcc \
    /usr/local/cuda/bin/nvcc; do
    [ -x "$nvcc" ] || continue
    version=$("$nvcc" --version 2>/dev/null | sed -n 's/.*release \([0-9]*\)\..*/\1/p')
    [ "${version:-0}" -ge "$min_nvcc" ] && echo "$nvcc" && return
  done
  return 1
}

# What .venv was made from: as long as this text stays the same, .venv is up to date.
venv_recipe() {
  sha256sum requirements.lock
  "$python" --version
}
cuda_recipe() { sha256sum requirements-cuda.lock; }

# made_from STAMP RECIPE: whether .venv works and was made from what the recipe prints now.
made_from() { "$venv/bin/python" -c '' 2>/dev/null && [ "$("$2")" = "$(cat "$venv/$1" 2>/dev/null)" ]; }

pip_install() { "$venv/bin/python" -m pip install --quiet --no-input --require-hashes "$@"; }

make_venv() { "$python" -m venv --clear "$venv" && pip_install -r requirements.lock; }

install_cuda() {
  pip_install --force-reinstall -r requirements-cuda.lock || return  # repairs a damaged one too
  local root probe
  root=$(echo "$venv"/lib/python3*/site-packages/nvidia/cu13)
  # The wheels leave out what nvcc and the linker look for: the folder lib64 and the name without a version.
  ln -sfn lib "$root/lib64"
  ln -sfn libcudart.so.13 "$root/lib/libcudart.so"
  probe=$(mktemp -d)
  echo 'extern "C" __global__ void probe() {}' >"$probe/probe.cu"
  "$root/bin/nvcc" -shared -cudart shared -arch=compute_80 -code=compute_80 -Xcompiler -fPIC \
    -Xlinker -z,defs -o "$probe/probe.so" "$probe/probe.cu" && rm -r "$probe"
}

ensure_python() {
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "$python is not Python 3.11 or newer: set PYTHON to one that is"
  if ! made_from .recipe venv_recipe; then
    step "making the Python environment .venv (half a minute)" make_venv
    venv_recipe >"$venv/.recipe"
  fi
}

ensure_cuda() {
  local nvcc
  if nvcc=$(find_nvcc) && { [[ $nvcc != "$venv"/* ]] || made_from .recipe-cuda cuda_recipe; }; then return; fi
  step "installing the CUDA compiler into .venv (100 MB to download)" install_cuda
  cuda_recipe >"$venv/.recipe-cuda"
}

# ---- make doctor

check() {
  local missing status=0
  mapfile -t missing < <(missing_packages "${packages[@]}")
  if [ ${#missing[@]} -gt 0 ] && [ "${FLASHLAB_SKIP_PACKAGES:-}" != 1 ]; then
    echo "missing: Debian packages: apt-get install ${missing[*]}"
    status=1
  fi
  if ! made_from .recipe venv_recipe; then
    echo "missing: the Python environment .venv: make setup"
    status=1
  fi
  if ! find_nvcc >/dev/null; then
    echo "missing: nvcc $min_nvcc or newer: make setup"
    status=1
  fi
  return $status
}

case "${1:-}" in
  --check) check ;;
  --packages) ensure_packages "${packages[@]}" ;;
  --lint) ensure_packages "${packages[@]}" "${lint_packages[@]}" && ensure_python && ensure_cuda ;;
  --handouts | --test)
    extra=("${handout_packages[@]}")
    [ "$1" = --handouts ] || extra+=("${test_packages[@]}")
    ensure_packages "${packages[@]}" "${extra[@]}" && ensure_browser && ensure_python && ensure_cuda ;;
  "") ensure_packages "${packages[@]}" && ensure_python && ensure_cuda ;;
  *) fail "unknown option $1: use --check, --packages, --lint, --handouts, --test or nothing" ;;
esac
