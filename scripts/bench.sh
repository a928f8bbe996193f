#!/usr/bin/env bash
# Runs all benches of the engine and of loading, one file of rows each: figure, value, unit, target,
# anchor, ratio, spread and distinct requests, apart by tabs.
#
#   scripts/bench.sh           every figure, with the profile of a million principals; to target/bench
#   scripts/bench.sh --short   a small form of each
set -euo pipefail
cd "$(dirname "$0")/.."

short=()
[ "${1:-}" != --short ] || short=(--short)
out=target/bench
mkdir -p "$out"

cargo build --quiet --release
cargo bench --quiet --bench latency -- --wide "${short[@]}" >"$out/latency.tsv"
cargo bench --quiet --bench compile -- "${short[@]}" >"$out/compile.tsv"
cargo bench --quiet --bench handler -- "${short[@]}" >"$out/handler.tsv"
cargo bench --quiet --bench grpc -- "${short[@]}" >"$out/grpc.tsv"
scripts/load.sh "$([ ${#short[@]} = 0 ] && echo 7 || echo 1)" >"$out/load.tsv"
scripts/gate.sh
cargo bench --quiet --bench decide -- "$([ ${#short[@]} = 0 ] && echo --noplot || echo --test)" >"$out/decide.txt"

{
  printf 'machine\t%s, %s cores\n' "$(lscpu | sed -n 's/^Model name: *//p')" "$(nproc)"
  printf 'load at the end\t%s\n' "$(cut -d' ' -f1 /proc/loadavg)"
  printf 'compiler\t%s\n' "$(rustc --version)"
} >"$out/machine.tsv"
cat "$out"/latency.tsv "$out"/compile.tsv "$out"/handler.tsv "$out"/grpc.tsv "$out"/load.tsv "$out"/machine.tsv
echo "wrote $out"
