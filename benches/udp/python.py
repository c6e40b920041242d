"""Python packages as peers of benches/udp.rs: prints the port, then obeys `receive N`."""
import socket
import sys
import time

METHODS = ["/synth/%02d/frequency" % n for n in range(100)]
BUFFER = 4 << 20
handled = 0


def count(*_):
    global handled
    handled += 1


def pythonosc():
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import BlockingOSCUDPServer

    dispatcher = Dispatcher()
    for method in METHODS:
        dispatcher.map(method, count)
    server = BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher)
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    return server.server_address[1], server.handle_request


def osc4py3():
    import osc4py3.as_eventloop as osc
    from osc4py3 import oscchannel

    osc.osc_startup()
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    osc.osc_udp_server("127.0.0.1", port, "bench")
    oscchannel.get_channel("bench").udpsock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    for method in METHODS:
        osc.osc_method(method, count)
    return port, osc.osc_process


port, step = {"pythonosc": pythonosc, "osc4py3": osc4py3}[sys.argv[1]]()
print(port, flush=True)
for line in sys.stdin:
    n = int(line.split()[1])
    handled = 0
    begin = time.process_time_ns()
    while handled < n:
        step()
    print(time.process_time_ns() - begin, flush=True)
