"""python-osc: `serve TRANSPORT` prints what its server hears; `client TRANSPORT PORT` sends what standard input says;
`decode` prints what it reads from each packet of standard input.

The server answers `/ping ,i n` with `/pong ,i n`. The client's command `#receive` prints the next packet that
comes back to its own socket. The transport is `udp`, or TCP as of OSC `1.0` (length prefix) or `1.1` (SLIP).
`decode` reads lines of hexadecimal digits, and ends each answer with `#done`, `#refused` or, after some CPU
time, `#hangs`.
"""

import logging
import signal
import sys
from datetime import datetime

from pythonosc.dispatcher import Dispatcher, Handler
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_server import BlockingOSCUDPServer
from pythonosc.osc_tcp_server import ThreadingOSCTCPServer
from pythonosc.parsing.osc_types import get_string
from pythonosc.tcp_client import TCPClient
from pythonosc.udp_client import UDPClient

import canonical

UNIX_EPOCH = 2_208_988_800
CPU_SECONDS_PER_PACKET = 0.3
LEVELS_TO_PRINT = 10_000


class Printer(Handler):
    def __init__(self):
        super().__init__(print, [])

    def invoke(self, client_address, message):
        canonical.say(line(message))
        if message.address == "/ping":
            return ("/pong", *message.params)


class PrintAll(Dispatcher):
    def handlers_for_address(self, address_pattern):
        yield Printer()


def line(message):
    """The library drops the type tags: they are taken from the datagram, the values from the library."""
    if b"," not in message.dgram:
        return canonical.quoted(message.address)
    _, at = get_string(message.dgram, 0)
    tags, _ = get_string(message.dgram, at)
    try:
        return canonical.line(message.address, tags[1:], values(tags[1:], message.params))
    except (StopIteration, TypeError):
        return f"#lost {tags} {message.params}"


def values(tags, params):
    scalars = iter(tag for tag in tags if tag not in "[]")

    def convert(param):
        if isinstance(param, list):
            return [convert(element) for element in param]
        tag = next(scalars)
        if tag == "t":
            moment, fraction = param
            return int((moment - datetime(1900, 1, 1)).total_seconds()) << 32 | fraction
        return int.from_bytes(param, "big") if tag in "m" else param

    return [convert(param) for param in params]


def built(packet):
    if isinstance(packet, canonical.Bundle):
        seconds = packet.time_tag / 2**32 - UNIX_EPOCH
        bundle = OscBundleBuilder(IMMEDIATELY if packet.time_tag == 1 else seconds)
        for element in packet.elements:
            bundle.add_content(built(element))
        return bundle.build()
    message = OscMessageBuilder(packet.address)
    for arg in packet.args:
        message.add_arg(arg_value(arg), arg_type(arg))
    return message.build()


def arg_value(arg):
    if isinstance(arg, list):
        return [arg_value(element) for element in arg]
    tag, value = arg
    return tuple(value.to_bytes(4, "big")) if tag == "m" else value


def arg_type(arg):
    return [arg_type(element) for element in arg] if isinstance(arg, list) else arg[0]


def serve(transport):
    if transport == "udp":
        server = BlockingOSCUDPServer(("127.0.0.1", 0), PrintAll())
    else:
        server = ThreadingOSCTCPServer(("127.0.0.1", 0), PrintAll(), mode=transport)
    canonical.say(f"#ready {server.server_address[1]}")
    server.serve_forever()


def client(transport, port):
    if transport == "udp":
        client = UDPClient("127.0.0.1", int(port), timeout=10)
        receive = client.receive
    else:
        client = TCPClient("127.0.0.1", int(port), mode=transport, timeout=10)
        receive = lambda: client.receive()[0]
    commands = {"#receive": lambda: canonical.say(line(OscMessage(receive())))}
    canonical.say("#ready 0")
    canonical.send_from_stdin(lambda packet: client.send(built(packet)), lambda name: commands[name]())


def decode():
    """The library writes a log line for each type tag that it does not know."""
    logging.disable()
    signal.signal(signal.SIGVTALRM, hang)
    for digits in sys.stdin:
        canonical.say("\n".join(decoded(bytes.fromhex(digits))))


def hang(_signal, _frame):
    raise TimeoutError


def decoded(datagram):
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS_PER_PACKET)
    try:
        packet = OscBundle(datagram) if OscBundle.dgram_is_bundle(datagram) else OscMessage(datagram)
    except TimeoutError:
        return ["#hangs"]
    except Exception:  # whatever the library raises is its answer
        return ["#refused"]
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    levels = sys.getrecursionlimit()
    sys.setrecursionlimit(LEVELS_TO_PRINT)
    try:
        return [*lines(packet), "#done"]
    finally:
        sys.setrecursionlimit(levels)


def lines(packet):
    if isinstance(packet, OscMessage):
        return [line(packet)]
    seconds = packet.timestamp
    time_tag = 1 if seconds == IMMEDIATELY else round((seconds + UNIX_EPOCH) * 2**32)
    inner = [text for element in packet for text in lines(element)]
    return [f"#bundle 0x{time_tag:016x}", *inner, "#end"]


{"serve": serve, "client": client, "decode": decode}[sys.argv[1]](*sys.argv[2:])
