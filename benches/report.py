#!/usr/bin/env python3
"""Writes what the benchmarks have printed into docs/performance.md, between its marks, and draws its chart.

    report.py DIRECTORY-OF-OUTPUTS docs
"""
import math
import pathlib
import re
import subprocess
import sys

OUT, DOCS = map(pathlib.Path, sys.argv[1:3])
# Runs whose goals count for the spread.
RUNS = 3


def output(bench):
    path = OUT / f"{bench}.txt"
    return path.read_text().splitlines() if path.exists() else []


def said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def figures(bench):
    """All that a benchmark has printed but its goals, as it stands."""
    lines = [line.rstrip() for line in output(bench) if not line.startswith("goal:")]
    return "\n".join(["```text", *lines, "```"]) if lines else None


def goals():
    """Each goal of the last run, with the least and the most of the last runs."""
    runs = sorted(OUT.glob("goals-*.goals"))[-RUNS:]
    pattern = re.compile(r"goal: (.*) ratio (\S+) \(goal (\S+ \S+)\) (ok|short)")
    ratios = {}
    for run in runs:
        for name, ratio, goal, verdict in pattern.findall(run.read_text()):
            ratios.setdefault(name, []).append((float(ratio), goal, verdict))
    rows = ["| goal | ratio | spread | wanted | |", "|------|------:|-------:|-------:|---|"]
    for name, seen in ratios.items():
        values = [ratio for ratio, _, _ in seen]
        ratio, goal, verdict = seen[-1]
        verdict = "ok" if verdict == "ok" else "**short**"
        rows.append(f"| {name} | {ratio:.2f} | {min(values):.2f} to {max(values):.2f} | {goal} | {verdict} |")
    short = sum(seen[-1][2] == "short" for seen in ratios.values())
    rows.append("")
    rows.append(f"{len(ratios)} goals, {short} short; spread over the last {len(runs)} runs.")
    return "\n".join(rows) if ratios else None


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    lock = pathlib.Path("Cargo.lock").read_text()
    versions = dict(re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', lock))
    names = ["tokio", "tokio-util", "bytes", "rosc", "matchit"]
    liblo, python = said("pkg-config", "--modversion", "liblo"), "target/interop-venv/bin/python"
    peers = said(python, "-c", "import importlib.metadata as m; print(*(f'{p} {m.version(p)}' for p in ('python-osc', 'osc4py3')), sep=', ')")
    programs = [f"{name} {versions[name]}" for name in names if name in versions]
    programs += [f"liblo {liblo}"] * bool(liblo) + [peers] * bool(peers)
    cores = said("nproc")
    lines = [
        f"- machine: {cpu.group(1) if cpu else 'unknown'}, {cores} cores, {said('uname', '-sr').split('-')[0]}",
        f"- compiler: {said('rustc', '--version')}; `lto = \"thin\"`, one codegen unit",
        f"- beside: {', '.join(programs)}",
    ]
    return "\n".join(lines)


def numbers(line):
    return [float(cell.replace(",", "")) if re.fullmatch(r"[\d.,]+", cell) else math.nan for cell in line]


def cells(line):
    return [cell for part in line.split("|") for cell in part.split()]


def route_curves():
    """The rows of the benchmark of concrete addresses."""
    names = ["HashMap", "matchit", "tokio-osc", "tokio-osc, patterns too", "rosc", "liblo"]
    lines = output("dispatch")
    start = next((at for at, line in enumerate(lines) if line.startswith("concrete, ns")), None)
    if start is None:
        return {}
    curves = {name: [] for name in names}
    for line in lines[start + 1 : start + 5]:
        size, *costs = numbers(cells(line))
        for name, cost in zip(names, costs):
            if not math.isnan(cost):
                curves[name].append((size, cost))
    return curves


def scale_curves(*rows):
    curves = {}
    for line in output("scale"):
        name, *rest = [part.strip() for part in line.split("|")]
        if name in rows and len(rest) == 9:
            curves[name] = list(zip(numbers(rest[:4]), numbers(rest[4:8])))
    return curves


def parts():
    """What the receive path of a server is made of."""
    times = dict(re.findall(r"^(.*?) +(\d+) ns$", "\n".join(output("udp")), re.M))
    wanted = ["receive: raw recvfrom", "receive: Channel", "full: Server, 100 methods"]
    if not all(name in times for name in wanted):
        return None
    raw, channel, server = (float(times[name]) for name in wanted)
    rows = [("the system call: raw `recvfrom`", raw), ("from the socket to a decoded packet", channel - raw)]
    rows.append(("from the packet to its handler", server - channel))
    text = ["| cost | ns | share |", "|------|---:|------:|"]
    text += [f"| {name} | {cost:.0f} | {100 * cost / server:.0f} % |" for name, cost in rows]
    text += ["", f"So nothing above this system call can take less than {raw / server:.2f} of what a server takes."]
    return "\n".join(text)


COLORS = ["#1b6ca8", "#d1495b", "#2e933c", "#8d6a9f", "#edae49", "#555555"]


def panel(left, title, unit, curves):
    """Lines on two logarithmic axes."""
    width, height, top = 300, 220, 40
    points = [point for curve in curves.values() for point in curve]
    if not points:
        return []
    x0, x1 = (math.log10(pick(x for x, _ in points)) for pick in (min, max))
    y0 = math.floor(math.log10(min(y for _, y in points)))
    y1 = math.ceil(math.log10(max(y for _, y in points)) + 1e-9)
    x = lambda value: left + (math.log10(value) - x0) / (x1 - x0) * width
    y = lambda value: top + height - (math.log10(value) - y0) / max(y1 - y0, 1) * height
    svg = [f'<text x="{left}" y="20" font-weight="bold">{title}</text>']
    for power in range(y0, y1 + 1):
        at = y(10**power)
        svg.append(f'<line x1="{left}" x2="{left + width}" y1="{at:.1f}" y2="{at:.1f}" stroke="#dddddd"/>')
        svg.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{10**power:,}</text>')
    for value in sorted({size for size, _ in points}):
        svg.append(f'<text x="{x(value):.1f}" y="{top + height + 18}" text-anchor="middle">{value:,.0f}</text>')
    svg.append(f'<text x="{left}" y="{top - 6}" fill="#777777">{unit}</text>')
    for number, (name, curve) in enumerate(curves.items()):
        color, line = COLORS[number % len(COLORS)], " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in curve)
        svg.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        svg.append(f'<text x="{left}" y="{top + height + 42 + 16 * number}" fill="{color}">{name}</text>')
    return svg


def chart():
    panels = [
        ("Looking up an address", "ns, by number of routes", route_curves()),
        ("Channels", "ns per message, by number of channels", scale_curves("idle channels")),
        (
            "Connections",
            "ns per message, by number of connections",
            scale_curves("TCP connections, one busy", "TCP connections, all busy"),
        ),
    ]
    if not any(curves for _, _, curves in panels):
        return None
    svg = ['<svg xmlns="http://www.w3.org/2000/svg" width="1180" height="410" font-family="sans-serif" font-size="12">']
    svg.append('<rect width="1180" height="410" fill="white"/>')
    for number, (title, unit, curves) in enumerate(panels):
        svg += panel(70 + 380 * number, title, unit, curves)
    (DOCS / "performance.svg").write_text("\n".join([*svg, "</svg>", ""]))
    return "![cost against routes, channels and connections](performance.svg)"


def main():
    page = DOCS / "performance.md"
    text = page.read_text()
    benches = ["codec", "dispatch", "streams", "time", "scale", "udp", "instructions"]
    sections = {bench: figures(bench) for bench in benches}
    sections |= {"goals": goals(), "machine": machine(), "parts": parts(), "chart": chart()}
    for name, section in sections.items():
        if section is not None:
            marked = rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)"
            text = re.sub(marked, lambda mark: f"{mark[1]}{section}\n{mark[2]}", text, flags=re.S)
    page.write_text(text)


main()
