#!/bin/bash
# Packs a built program with the libraries that it loads and Fashion-MNIST, for a machine that has a card but
# no Qt. usage: tests/cuda/bundle.sh FILE.tar.xz [BUILD FOLDER]
# There: tar xf FILE.tar.xz && genscope/genscope train --device cuda ...
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$(realpath -m "${1:?usage: bundle.sh FILE.tar.xz [BUILD FOLDER]}")
build=$(realpath "${2:-$root/build}")
data=$(dpkg -L dataset-fashion-mnist 2>/dev/null | grep -m1 'train-images.*gz$' || true)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/genscope/lib" "$work/genscope/data"
cp "$build/bin/genscope" "$work/genscope/program"
[ ! -f "$build/bin/genscope_cuda.so" ] || cp "$build/bin/genscope_cuda.so" "$work/genscope/"
strip "$work/genscope/program"
# The C and C++ libraries are that machine's own.
ldd "$build/bin/genscope" | awk '$3 ~ /^\// { print $3 }' |
    grep -Ev '/(libc|libm|libdl|librt|libpthread|libstdc\+\+|libgcc_s)\.so' | xargs -I{} cp -L {} "$work/genscope/lib/"
cp "$(qtpaths6 --query QT_INSTALL_PLUGINS 2>/dev/null || echo /usr/lib/x86_64-linux-gnu/qt6/plugins)/platforms/libqoffscreen.so" \
    "$work/genscope/lib/"
[ -z "$data" ] || cp "$(dirname "$data")"/*.gz "$work/genscope/data/"
cat >"$work/genscope/genscope" <<'SCRIPT'
#!/bin/bash
here=$(cd "$(dirname "$0")" && pwd)
export LD_LIBRARY_PATH=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} QT_QPA_PLATFORM=offscreen
export QT_QPA_PLATFORM_PLUGIN_PATH=$here/lib
export GENSCOPE_FASHION_MNIST=${GENSCOPE_FASHION_MNIST:-$here/data}
exec "$here/program" "$@"
SCRIPT
chmod +x "$work/genscope/genscope"
XZ_OPT=-1 tar -C "$work" -cJf "$out" genscope
ls -l "$out"
