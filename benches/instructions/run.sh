#!/usr/bin/env bash
# Instructions by callgrind, row by row, beside the baseline of the compiler in use.
#
#     benches/instructions/run.sh                 all rows; fails if one is more than 10 % above its baseline
#     benches/instructions/run.sh server queue    those whose name begins so
#     benches/instructions/run.sh --accept        writes the baseline
set -euo pipefail
cd "$(dirname "$0")/../.."

# Above its baseline, in percent.
LIMIT=10
# As main.rs has it.
TIMES=5000
version=$(rustc --version --verbose | awk '/^release/ { release = $2 } /^host/ { split($2, host, "-") } END { print release "-" host[1] }')
baseline=benches/instructions/baseline-$version.txt
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

accept=
if [ "${1:-}" = --accept ]; then
    accept=yes
    shift
fi

cargo bench --quiet --bench instructions --no-run --message-format=json >"$out/build"
program=$(sed -n 's/.*"executable":"\([^"]*instructions-[^"]*\)".*/\1/p' "$out/build" | tail -n 1)
valgrind --tool=callgrind --callgrind-out-file="$out/counts" --dump-before='*take_stock*' \
    "$program" "$@" >"$out/names" 2>"$out/errors" || {
    cat "$out/errors" >&2
    exit 1
}

# Four calls of `take_stock` for each row, and one before the first: each writes down the instructions since the
# one before. The work lies between the first and the second, and the third and the fourth.
counts() {
    local row=0 name few many
    counted() {
        sed -n 's/^\(totals\|summary\): //p' "$out/counts.$1" | head -n 1
    }
    while IFS= read -r name; do
        few=$(counted $((row * 4 + 3)))
        many=$(counted $((row * 4 + 5)))
        echo "$name: $(((many - few) / TIMES))"
        row=$((row + 1))
    done <"$out/names"
}
counts >"$out/rows"

if [ -n "$accept" ]; then
    cp "$out/rows" "$baseline"
fi
if [ ! -e "$baseline" ]; then
    echo "no baseline for rustc $version; these are its numbers:"
    cat "$out/rows"
    exit
fi
awk -F ': ' -v limit="$LIMIT" '
    FNR == NR { before[$1] = $2; next }
    !($1 in before) { printf "%-28s %7d  new\n", $1, $2; next }
    {
        change = 100 * ($2 - before[$1]) / before[$1]
        verdict = change > limit ? "  too many" : ""
        failed += change > limit
        printf "%-28s %7d  %+6.1f %%%s\n", $1, $2, change, verdict
    }
    END {
        if (failed) printf "%d rows are more than %d %% above %s\n", failed, limit, ARGV[1]
        exit failed > 0
    }' "$baseline" "$out/rows"
