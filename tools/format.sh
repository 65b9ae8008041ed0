#!/usr/bin/env bash
# Reformats every tracked C++, CUDA and Python file in place.
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files -z -- '*.cpp' '*.hpp' '*.h' '*.cu' '*.cuh' | xargs -0 clang-format-14 -i
.venv/bin/ruff check --quiet --fix .
.venv/bin/ruff format --quiet .
