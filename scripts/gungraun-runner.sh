#!/usr/bin/env bash
# Installs gungraun-runner, of exactly the version that Cargo.lock has of gungraun, into .tools/,
# and prints its path. It takes two minutes once.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(grep -A1 '^name = "gungraun"$' Cargo.lock | sed -n 's/^version = "\(.*\)"$/\1/p')
[ -n "$version" ] || { echo "Cargo.lock has no gungraun" >&2; exit 1; }
root="$PWD/.tools/gungraun-runner-$version"
if [ ! -x "$root/bin/gungraun-runner" ]; then
  cargo install --quiet --locked --root "$root" --version "=$version" gungraun-runner >&2
fi
echo "$root/bin/gungraun-runner"
