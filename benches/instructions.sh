#!/bin/sh
# Instructions per message, by callgrind: runs each scenario of instructions.rs (or those named) with
# 110,000 and with 10,000 messages, and prints the difference per message.
set -eu
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

cargo bench --bench instructions --no-run --message-format=json >"$out/build"
program=$(sed -n 's/.*"executable":"\([^"]*instructions-[^"]*\)".*/\1/p' "$out/build" | tail -n 1)

counted() {
    valgrind --tool=callgrind --callgrind-out-file="$out/callgrind" "$program" "$1" "$2" 2>&1 |
        sed -n 's/.*Collected : //p'
}

for scenario in ${*:-inline async task bundle unmatched two far alone among}; do
    many=$(counted "$scenario" 110000)
    few=$(counted "$scenario" 10000)
    echo "$scenario $(((many - few) / 100000))"
done
