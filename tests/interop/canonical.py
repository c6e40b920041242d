"""Canonical lines: the text form in which the tests and the drivers of the Python peers talk.

A message is `/chord ,s[ii] "major" [ 60 64 ]`; a bundle is `#bundle 0x<time tag>`, its elements, `#end`.
Time tags, colors and MIDI messages are whole numbers here; the drivers turn them into their library's values.
"""

import json
import re
import sys
from typing import NamedTuple

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'.\'|\S+')
PLAIN_ADDRESS = re.compile(r"/[!-~]*")
CONSTANTS = {True: "true", False: "false", None: "nil"}


class Message(NamedTuple):
    address: str
    tags: str  # without the comma
    args: list  # (tag, value), and a list of them for each array


class Bundle(NamedTuple):
    time_tag: int
    elements: list


def packets(lines):
    """Yields the packets that lines give, and each `#command` that is none of a bundle's."""
    open_bundles = []
    for line in lines:
        line = line.rstrip("\n")
        if line.startswith("#bundle"):
            open_bundles.append(Bundle(int(line.split()[1], 16), []))
            continue
        if line.startswith("#") and line != "#end":
            yield line
            continue
        packet = open_bundles.pop() if line == "#end" else message(line)
        if open_bundles:
            open_bundles[-1].elements.append(packet)
        else:
            yield packet


def message(line):
    address, tags, *tokens = TOKEN.findall(line)
    levels = [[]]
    for tag, token in zip(tags[1:], tokens, strict=True):
        if tag == "[":
            levels.append([])
        elif tag == "]":
            levels[-2].append(levels.pop())
        else:
            levels[-1].append((tag, value(tag, token)))
    return Message(address, tags[1:], levels[0])


def value(tag, token):
    if tag in "ih":
        return int(token)
    if tag in "fd":
        return float(token)
    if tag in "sS":
        return json.loads(token)
    if tag == "b":
        return bytes.fromhex(token[1:-1])
    if tag == "c":
        return token[1]
    if tag in "trm":
        return int(token.lstrip("#").removeprefix("m:"), 16)
    return {"T": True, "F": False, "N": None, "I": None}[tag]


def quoted(address):
    """An address as a line begins with it."""
    return address if PLAIN_ADDRESS.fullmatch(address) else json.dumps(address)


def line(address, tags, args):
    """The canonical line of a message; `args` holds a sequence for each array."""
    words = [quoted(address), "," + tags]
    levels, args = [], iter(args)
    for tag in tags:
        if tag == "[":
            levels.append(args)
            args = iter(next(args))
            words.append(tag)
        elif tag == "]":
            assert next(args, None) is None
            args = levels.pop()
            words.append(tag)
        else:
            words.append(word(tag, next(args)))
    return " ".join(words)


def word(tag, value):
    """The word of one value. What is true, false and nil is up to the value, not the tag."""
    if tag in "TFN":
        return CONSTANTS[value]
    if tag == "I":
        return "impulse"
    if tag in "ih":
        return str(int(value))
    if tag in "fd":
        return repr(float(value))
    if tag in "sS":
        return json.dumps(value)
    if tag == "b":
        return f"<{bytes(value).hex()}>"
    if tag == "c":
        return f"'{value}'" if " " <= value <= "~" else f"c:{ord(value):08x}"
    return {"t": "0x{:016x}", "r": "#{:08x}", "m": "m:{:08x}"}[tag].format(value)


def say(text):
    print(text, flush=True)


def send_from_stdin(send, command=None):
    """Sends each packet from standard input and says `#sent`, or `#refused` and the library's reason."""
    for packet in packets(sys.stdin):
        if isinstance(packet, str):
            command(packet)
            continue
        try:
            send(packet)
        except Exception as error:  # whatever the library raises is its answer
            say(f"#refused {type(error).__name__}")
        else:
            say("#sent")
