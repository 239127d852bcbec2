#!/bin/bash
# Builds the headless core, the CUDA plugin and their tests, and runs them on this machine's card.
# usage: tests/cuda/run.sh [--headers FOLDER]... [--build FOLDER] [--sanitize] [--bench]
# Needs cmake, ninja, nvcc and g++; the headers of fmt, Eigen, nlohmann_json and zlib from the system or from
# --headers folders; Fashion-MNIST as the program does (GENSCOPE_FASHION_MNIST).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build-device
headers=() sanitize=0 bench=0
while [ $# -gt 0 ]; do
    case $1 in
        --headers) headers+=("$2"); shift ;;
        --build) build=$2; shift ;;
        --sanitize) sanitize=1 ;;
        --bench) bench=1 ;;
        *) echo "run.sh: expected --headers, --build, --sanitize or --bench, got '$1'" >&2; exit 2 ;;
    esac
    shift
done
cmake -S "$root/tests/cuda" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DHEADERS="$(IFS=';'; echo "${headers[*]-}")" -DCMAKE_CUDA_ARCHITECTURES=native
ninja -C "$build"
"$build/bin/device_tests"
if [ $sanitize = 1 ]; then
    for part in operations updates chains products images transformers loops lessons; do
        compute-sanitizer --error-exitcode 9 "$build/bin/device_tests" $part
    done
fi
[ $bench = 0 ] || "$build/bin/device_bench"
