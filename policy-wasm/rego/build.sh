#!/bin/sh
# Compiles the shipped policies with OPA and packs them so that the same sources give the same bytes.
# Usage: build.sh [FOLDER]   (default: dist beside this script)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
dist=${1:-$here/dist}
opa=${OPA:-}
[ -n "$opa" ] || opa=$here/../../.tools/bin/opa
[ -x "$opa" ] || opa=$(command -v opa) || { echo "opa not found: set OPA or install it with tests/tools.sh opa" >&2; exit 2; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$dist"

for policy in baseline least-privilege; do
    sources=$here/$policy
    "$opa" check --strict "$sources"
    "$opa" test "$sources"
    # The revision names the sources, not the day.
    revision=$(cd "$sources" && cat policy.rego data.json 2>/dev/null | sha256sum | cut -c 1-12)
    (cd "$sources" && "$opa" build -t wasm -e claviger/authz/decision -r "$policy-$revision" \
        --ignore '*_test.rego' -o "$scratch/$policy.tar.gz" .)
    mkdir "$scratch/$policy"
    tar -xzf "$scratch/$policy.tar.gz" -C "$scratch/$policy" --no-same-owner
    (cd "$scratch/$policy" && LC_ALL=C tar --format=ustar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
        --mode=0644 -cf "$scratch/$policy.tar" .manifest data.json policy.wasm)
    gzip -9n < "$scratch/$policy.tar" > "$dist/$policy.tar.gz"
done
(cd "$dist" && LC_ALL=C sha256sum baseline.tar.gz least-privilege.tar.gz > SHA256SUMS)
