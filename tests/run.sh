#!/usr/bin/env bash
# Installs what the tests need, then runs everything that CI runs.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step tools
scripts/tools.sh
export PATH="$PWD/.tools/bin:$PATH"

step format and lints
cargo fmt --all -- --check
cargo clippy --quiet --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps
.tools/npm/node_modules/.bin/buf lint
.tools/npm/node_modules/.bin/buf breaking --against proto/released.binpb

step licences, bans and sources of dependencies
cargo-deny --log-level error check licenses bans sources
echo "skipped: advisories need a database that is fetched from elsewhere"

step tests
cargo test --quiet

step fuzz targets and what of other engines touches the crate compile
cargo check --quiet --locked --manifest-path fuzz/Cargo.toml --target-dir target/fuzz
cargo check --quiet --locked --lib --no-default-features --manifest-path benches/engines/Cargo.toml \
  --target-dir target/fuzz
cargo fmt --manifest-path benches/engines/Cargo.toml -- --check

step benches run once
python3 tests/performance.py
scripts/bench.sh --short decide grpc mesh

step what a decision costs
scripts/gate.sh

step examples and the calls of README
cargo build --quiet
find examples -name bundle.json -printf '%h\0' | xargs -0 target/debug/tagwarden check --deny-warnings
target/debug/tagwarden test examples/*/tests tests/conformance/*
python3 tests/readme.py target/debug/tagwarden

step clients in four languages
python3 tests/clients.py target/debug/tagwarden

step deployment
RUSTFLAGS="-C target-feature=+crt-static" cargo build --quiet --locked --target-dir target/static \
  --target "$(rustc -vV | sed -n 's/^host: //p')"
python3 tests/deploy.py target/debug/tagwarden target/static/*/debug/tagwarden
