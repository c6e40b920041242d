"""osc4py3: `serve` prints what its UDP channel and dispatcher deliver; `client PORT` sends what standard input says
by its UDP channel; `echo` decodes each datagram with its codec, encodes it again and sends it back; `compressed TABLE`
does so with numbers in place of addresses, and prints what it has read; `guarded FUNCTIONS [CHECK]` does so with its
packet control: with a checksum (c), a signature (a) and encryption (e), and with the key for the checksum's check as
its code or as its manual has it."""

import hmac
import json
import socket
import sys
import time
import zlib

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


def crc32(data, protocol, oob):
    return zlib.crc32(data).to_bytes(4, "big")


def check_crc32(data, checksum, protocol, oob):
    if protocol != "crc32" or crc32(data, protocol, oob) != bytes(checksum):
        raise codec.OSCCorruptedRawError("crc32")


def sign(data, protocol, oob):
    return hmac.digest(b"key", bytes(data), "sha256")


def check_signature(data, signature, protocol, oob):
    if protocol != "hmac-sha256" or not hmac.compare_digest(sign(data, protocol, oob), bytes(signature)):
        raise codec.OSCInvalidSignatureError("hmac")


def xor5a(data, protocol, oob):
    return bytes(byte ^ 0x5A for byte in data)


def guarded(functions, check="packet_ckcheksum_fct"):
    options = {"advanced_packet_control": True}
    if "c" in functions:
        options |= {"packet_checksum_prot": "crc32", "packet_mkchecksum_fct": crc32, check: check_crc32}
    if "a" in functions:
        options |= {"packet_authsign_prot": "hmac-sha256", "packet_mkauthsign_fct": sign}
        options |= {"packet_ckauthsign_fct": check_signature}
    if "e" in functions:
        options |= {"packet_crypt_prot": "xor5a", "packet_encrypt_fct": xor5a, "packet_decrypt_fct": xor5a}
    here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    here.bind(("127.0.0.1", 0))
    canonical.say(f"#ready {here.getsockname()[1]}")
    while True:
        datagram, peer = here.recvfrom(65_536)
        try:
            packet = codec.decode_packet(datagram, options)
        except codec.OSCError as error:
            packet = codec.OSCMessage("/refused", ",s", [type(error).__name__])
        here.sendto(codec.encode_packet(packet, options), peer)


MODES = {"serve": serve, "client": client, "echo": echo, "compressed": compressed, "guarded": guarded}
MODES[sys.argv[1]](*sys.argv[2:])
