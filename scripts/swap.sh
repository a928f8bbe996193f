#!/usr/bin/env bash
# Proof of the swap: 60 seconds of swaps under eight busy connections, then the tail of decisions
# with and without swaps. Arguments: SECONDS (default 60), ROUNDS (default 7).
set -euo pipefail
cd "$(dirname "$0")/.."
export TAGWARDEN_SWAP_SECONDS=${1:-60}
cargo test --release --test main swap:: -- --nocapture --test-threads 1
cargo bench --bench swap -- --seconds 5 --rounds "${2:-7}"
