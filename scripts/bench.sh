#!/usr/bin/env bash
# Runs all benches and writes docs/performance.md.
#
#   scripts/bench.sh           every figure, with the profile of a million principals
#   scripts/bench.sh --short   a small form of each, for CI; writes to target/performance.md
set -euo pipefail
cd "$(dirname "$0")/.."

short=()
output=docs/performance.md
if [ "${1:-}" = --short ]; then
  short=(--short)
  output=target/performance.md
fi
GUNGRAUN_RUNNER=$(bash scripts/gungraun-runner.sh)
export GUNGRAUN_RUNNER

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo bench --quiet --bench latency -- --wide "${short[@]}" > "$work/latency"
cargo bench --quiet --bench compile > "$work/compile"
cargo bench --quiet --bench handler -- "${short[@]}" > "$work/handler"
cargo bench --quiet --bench grpc -- "${short[@]}" > "$work/grpc"
cargo bench --quiet --bench instructions > "$work/instructions"
if [ ${#short[@]} = 0 ]; then
  cargo bench --quiet --bench decide -- --noplot > "$work/decide"
else
  cargo bench --quiet --bench decide -- --test > "$work/decide"
fi

{
  echo "# Performance"
  echo
  echo "Written by \`scripts/bench.sh ${short[*]}\`. Machine: $(lscpu | sed -n 's/^Model name: *//p'), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg) at the end; $(rustc --version)."
  echo
  echo "## Latency of a decision"
  echo
  echo "\`p50\` to \`p99.9\` are of single calls, \`mean\` of calls in a row. Targets: typical p50 250 ns, heavy p50 500 ns, both p99 2,000 ns, wide p50 1,000 ns."
  echo
  cat "$work/latency"
  echo
  echo "## The handler without the network"
  echo
  echo "10,000 policies of one statement, 4,096 distinct questions with three request and three resource tags; the anchor is prost's decoding and encoding of the same messages, which decides nothing."
  echo
  cat "$work/handler"
  echo
  echo "## Calls over gRPC"
  echo
  echo "Beside a bare tonic method with the same messages; server and load have a core each, rounds go in turn, and ratios are medians over the rounds. A round is void unless the server's core was 95 % busy."
  echo
  cat "$work/grpc"
  echo
  echo "## Compiling"
  echo
  cat "$work/compile"
  echo
  echo "## Instructions of 1,000 decisions"
  echo
  echo '```text'
  grep -E '^instructions::|Instructions:' "$work/instructions"
  echo '```'
  echo
  echo "## Medians and spread"
  echo
  echo '```text'
  grep -vE '^$|^Warning|^Benchmarking' "$work/decide" || true
  echo '```'
} > "$output"
echo "wrote $output"
