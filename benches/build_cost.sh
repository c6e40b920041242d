#!/usr/bin/env bash
# What a clean build costs a user: CPU seconds of this crate with its default features, beside rosc and tokio, which a
# program without it would take. Prints the five crates that take longest, from `cargo build --timings`.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD
work=$(mktemp -d "$here/target/build-cost.XXXXXX")
trap 'rm -rf "$work"' EXIT

# build NAME DEPENDENCIES: the CPU seconds of a clean build of a program that has them.
build() {
    mkdir -p "$work/$1/src"
    echo 'fn main() {}' >"$work/$1/src/main.rs"
    printf '[package]\nname = "%s"\nedition = "2024"\n[workspace]\n[dependencies]\n%s\n' "$1" "$2" >"$work/$1/Cargo.toml"
    cd "$work/$1"
    cargo fetch --quiet
    local TIMEFORMAT='%U %S'
    { time CARGO_TARGET_DIR="$work/$1/target" cargo build --quiet --offline --timings >/dev/null 2>"$work/$1/said"; } 2>"$work/$1/time" || {
        cat "$work/$1/said" >&2
        return 1
    }
    awk '{ printf "%.1f", $1 + $2 }' "$work/$1/time"
}

longest() {
    python3 - "$work/$1/target/cargo-timings/cargo-timing.html" <<'PYTHON'
import json, re, sys
page = open(sys.argv[1]).read()
units = json.loads(re.search(r"UNIT_DATA = (\[.*?\]);", page, re.S).group(1))
for unit in sorted(units, key=lambda unit: -unit["duration"])[:5]:
    print(f'    {unit["duration"]:5.1f} s  {unit["name"]} {unit["version"]}{unit["target"]}')
PYTHON
}

ours=$(build with-tokio-osc "tokio-osc = { path = \"$here\" }")
theirs=$(build with-rosc 'rosc = "0.11"
tokio = { version = "1", features = ["io-util", "macros", "net", "rt", "sync", "time"] }')
echo "clean build, CPU seconds: tokio-osc $ours, rosc and tokio $theirs"
longest with-tokio-osc
awk -v ours="$ours" -v theirs="$theirs" 'BEGIN {
    ratio = ours / theirs
    printf "goal: clean build, tokio-osc / rosc + tokio ratio %.2f (goal <= 1.5) %s\n", ratio, ratio <= 1.5 ? "ok" : "short"
}'
