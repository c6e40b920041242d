#!/usr/bin/env python3
"""Counts the code lines of src: without comments, blank lines and unit tests.

    tests/code_lines.py            a line for each floor, and the total
    tests/code_lines.py FLOOR…     a line for each file of these floors
"""

import sys
from collections import Counter
from pathlib import Path

SRC = Path(__file__).parent.parent / "src"


def code_lines(path):
    """The code lines of a file."""
    # Unit tests in files of their own.
    if path.name in ("tests.rs", "model.rs"):
        return 0
    count, lines = 0, iter(path.read_text().splitlines())
    for line in lines:
        text = line.strip()
        if text.startswith(("#[cfg(test)]", "#[cfg(all(test")):
            skip_item(lines)
        elif text and not text.startswith("//"):
            count += 1
    return count


def skip_item(lines):
    """Skips the item below `#[cfg(test)]`: to its closing brace, which stands under its beginning."""
    for line in lines:
        if line.strip().startswith("#["):
            continue
        if line.rstrip().endswith("{"):
            end = line[: len(line) - len(line.lstrip())] + "}"
            while next(lines, end).rstrip() != end:
                pass
        return


def main():
    floors, files = Counter(), {}
    for path in sorted(SRC.rglob("*.rs")):
        name = path.relative_to(SRC)
        files[name] = code_lines(path)
        floors[name.parts[0]] += files[name]
    wanted = sys.argv[1:]
    for name, count in files.items():
        if name.parts[0] in wanted:
            print(f"{count:6} {name}")
    if not wanted:
        for floor, count in sorted(floors.items()):
            print(f"{count:6} {floor}")
        print(f"{sum(floors.values()):6} in all")


main()
