#!/usr/bin/env bash
# Gradescope runs this once, as root, when it makes the image: installs what FlashLab needs and builds it.
set -euo pipefail
cd "${AUTOGRADER:-/autograder}/source"

chmod +x flashlab/flashlab flashlab/tools/setup.sh  # some ways to unpack forget it
# The seed and the hidden cases are for root alone; the worker runs as another user.
chmod -R go-rwx course
{ command -v make && command -v python3; } >/dev/null || {
  apt-get update
  apt-get install --yes --no-install-recommends make python3 ca-certificates
}
make -C flashlab build JOBS="${JOBS:-2}"
flashlab/flashlab doctor
