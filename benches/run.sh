#!/usr/bin/env bash
# Runs all benchmarks, at most 10 minutes without the time to build them, on a machine that does nothing else.
# Prints each goal, and writes the figures into docs/performance.md.
#
#     benches/run.sh                  all
#     benches/run.sh codec scale      those named; the figures of the others stay
set -euo pipefail
cd "$(dirname "$0")/.."

# The Python with the peers, where `.ci/install` has put them.
python=$PWD/target/interop-venv/bin/python
[ ! -x "$python" ] || export OSC_INTEROP_PYTHON=${OSC_INTEROP_PYTHON:-$python}

out=target/bench
mkdir -p "$out"
[ $# -gt 0 ] || {
    set -- codec dispatch streams time scale udp instructions
    rm -f "$out"/*.txt
}
cargo bench --quiet --all-features --benches --no-run
begun=$SECONDS
for bench in "$@"; do
    echo "==> $bench" >&2
    case $bench in
        instructions) bash benches/instructions/run.sh >"$out/$bench.txt" || true ;;
        *) timeout 300 cargo bench --quiet --all-features --bench "$bench" >"$out/$bench.txt" ;;
    esac
done
cat "$out"/*.txt | grep '^goal:' | tee "$out/goals-$(date +%s).goals"
echo "==> $((SECONDS - begun)) s" >&2
python3 benches/report.py "$out" docs
