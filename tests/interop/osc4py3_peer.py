"""osc4py3: `serve` prints what its UDP channel and dispatcher deliver; `client PORT` sends what standard input says
by its UDP channel; `echo` decodes each datagram with its codec, encodes it again and sends it back; `compressed TABLE`
does so with numbers in place of addresses, and prints what it has read."""

import json
import socket
import sys
import time

from osc4py3 import as_eventloop as osc
from osc4py3 import oscbuildparse as codec
from osc4py3 import oscchannel, oscmethod

import canonical


def to_library(packet):
    if isinstance(packet, canonical.Bundle):
        time_tag = codec.OSCtimetag(packet.time_tag >> 32, packet.time_tag & 0xFFFF_FFFF)
        return codec.OSCBundle(time_tag, [to_library(element) for element in packet.elements])
    return codec.OSCMessage(packet.address, "," + packet.tags, [arg_value(arg) for arg in packet.args])


def arg_value(arg):
    if isinstance(arg, list):
        return tuple(arg_value(element) for element in arg)
    tag, value = arg
    if tag == "t":
        return codec.OSCtimetag(value >> 32, value & 0xFFFF_FFFF)
    if tag == "r":
        return codec.OSCrgba(*value.to_bytes(4, "big"))
    if tag == "m":
        return codec.OSCmidi(*value.to_bytes(4, "big"))
    return codec.OSCbang() if tag == "I" else value


def from_library(value):
    if isinstance(value, codec.OSCtimetag):
        return value.sec << 32 | value.frac
    if isinstance(value, (codec.OSCrgba, codec.OSCmidi)):
        return int.from_bytes(bytes(value), "big")
    if isinstance(value, (tuple, list)) and not isinstance(value, codec.OSCbang):
        return [from_library(element) for element in value]
    return value


def show(address, tags, args):
    canonical.say(canonical.line(address, tags.lstrip(","), from_library(list(args))))


def serve():
    osc.osc_startup()
    osc.osc_udp_server("127.0.0.1", 0, "here")
    arguments = oscmethod.OSCARG_ADDRESS + oscmethod.OSCARG_TYPETAGS + oscmethod.OSCARG_DATA
    osc.osc_method("*", show, argscheme=arguments)
    canonical.say(f"#ready {oscchannel.get_channel('here').udpsock.getsockname()[1]}")
    while True:
        osc.osc_process()
        time.sleep(0.001)  # its event loop is polled


def client(port):
    osc.osc_startup()
    osc.osc_udp_client("127.0.0.1", int(port), "there")

    def send(packet):
        packet = to_library(packet)
        codec.encode_packet(packet)  # the channel would only log what cannot be encoded
        osc.osc_send(packet, "there")
        osc.osc_process()

    canonical.say("#ready 0")
    canonical.send_from_stdin(send)


def echo():
    here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    here.bind(("127.0.0.1", 0))
    canonical.say(f"#ready {here.getsockname()[1]}")
    while True:
        datagram, peer = here.recvfrom(65_536)
        here.sendto(codec.encode_packet(codec.decode_packet(datagram)), peer)


def compressed(table):
    codes = json.loads(table)
    addresses = {code: address for address, code in codes.items()}
    here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    here.bind(("127.0.0.1", 0))
    canonical.say(f"#ready {here.getsockname()[1]}")
    while True:
        datagram, peer = here.recvfrom(65_536)
        packet = codec.decode_packet(datagram, {"addrpattern_decompression": addresses})
        show_packet(packet)
        here.sendto(codec.encode_packet(packet, {"addrpattern_compression": codes}), peer)


def show_packet(packet):
    if isinstance(packet, codec.OSCBundle):
        for element in packet.elements:
            show_packet(element)
    else:
        show(packet.addrpattern, packet.typetags, packet.arguments)


{"serve": serve, "client": client, "echo": echo, "compressed": compressed}[sys.argv[1]](*sys.argv[2:])
