#!/usr/bin/env python3
"""Writes examples/sample.pcap: a small Ethernet capture with one frame or two of everything that filters ask for.

Addresses are those kept for documentation (RFC 5737, RFC 3849, RFC 7042) and times are fixed, so that every run
gives the same bytes. Usage: make-sample-pcap.py FILE
"""
import struct
import sys
from ipaddress import ip_address

CLIENT_MAC, SERVER_MAC, ROUTER_MAC = (bytes.fromhex("00005e0053" + last) for last in ("01", "02", "fe"))
CLIENT, SERVER, RESOLVER = "192.0.2.10", "192.0.2.80", "192.0.2.53"
CLIENT6, SERVER6 = "2001:db8::10", "2001:db8::80"
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packed(address):
    return ip_address(address).packed


def summed(protocol, source, destination, segment, at):
    """The segment with its checksum, over the pseudo-header too, written at the offset `at`."""
    addresses = packed(source) + packed(destination)
    if len(addresses) == 8:
        pseudo = addresses + struct.pack("!BBH", 0, protocol, len(segment))
    else:
        pseudo = addresses + struct.pack("!IxxxB", len(segment), protocol)
    value = checksum(pseudo + segment)
    if protocol == UDP and value == 0:
        value = 0xFFFF
    return segment[:at] + struct.pack("!H", value) + segment[at + 2:]


def ethernet(payload, kind, source=CLIENT_MAC, destination=SERVER_MAC, tags=()):
    header = destination + source
    for tpid, tci in tags:
        header += struct.pack("!HH", tpid, tci)
    frame = header + struct.pack("!H", kind) + payload
    return frame + b"\0" * (60 - len(frame))


def ipv4(protocol, source, destination, payload, identification=0, fragment=0x4000, ttl=64):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), identification, fragment, ttl, protocol, 0,
                         packed(source), packed(destination))
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def ipv6(protocol, source, destination, payload, hops=64):
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, hops) + packed(source) + packed(destination) + payload


def udp(source, source_port, destination, destination_port, payload):
    segment = struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0) + payload
    return summed(UDP, source, destination, segment, 6)


FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def tcp(source, source_port, destination, destination_port, flags, seq, ack=0, payload=b""):
    options = b"\x02\x04\x05\xb4" if flags & SYN else b""
    segment = struct.pack("!HHIIBBHHH", source_port, destination_port, seq, ack, (20 + len(options)) << 2, flags,
                          64240, 0, 0) + options + payload
    return summed(TCP, source, destination, segment, 16)


def tcp4(source, source_port, destination, destination_port, *rest, **named):
    return ipv4(TCP, source, destination, tcp(source, source_port, destination, destination_port, *rest, **named))


def udp4(source, source_port, destination, destination_port, payload):
    return ipv4(UDP, source, destination, udp(source, source_port, destination, destination_port, payload))


def echo(kind, number, payload=bytes(range(32))):
    message = struct.pack("!BBHHH", kind, 0, 0, 0x2A, number) + payload
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


def arp(operation, sender_mac, sender, target_mac, target):
    return struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, operation, sender_mac, packed(sender), target_mac,
                       packed(target))


def dns(identification, flags, kind, name, answer=None):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    message = struct.pack("!HHHHHH", identification, flags, 1, 1 if answer else 0, 0, 0)
    message += labels + struct.pack("!HH", kind, 1)
    if answer:
        data = packed(answer)
        message += struct.pack("!HHHIH", 0xC00C, kind, 1, 300, len(data)) + data
    return message


def frames():
    broadcast = b"\xff" * 6
    back = {"source": SERVER_MAC, "destination": CLIENT_MAC}
    yield ethernet(arp(1, CLIENT_MAC, CLIENT, bytes(6), SERVER), 0x0806, destination=broadcast)
    yield ethernet(arp(2, SERVER_MAC, SERVER, CLIENT_MAC, CLIENT), 0x0806, **back)

    for number in (1, 2):
        yield ethernet(ipv4(ICMP, CLIENT, SERVER, echo(8, number), 0x100 + number), 0x0800)
        yield ethernet(ipv4(ICMP, SERVER, CLIENT, echo(0, number), 0x200 + number), 0x0800, **back)

    for identification, kind, answer in ((0x1111, 1, SERVER), (0x2222, 28, SERVER6)):
        question = dns(identification, 0x0100, kind, "www.example.com")
        reply = dns(identification, 0x8180, kind, "www.example.com", answer)
        yield ethernet(udp4(CLIENT, 40053, RESOLVER, 53, question), 0x0800)
        yield ethernet(udp4(RESOLVER, 53, CLIENT, 40053, reply), 0x0800, **back)

    request = b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"
    there, here = (CLIENT, 49152, SERVER, 80), (SERVER, 80, CLIENT, 49152)
    sent, received = 1001 + len(request), 5001 + len(response)
    yield ethernet(tcp4(*there, SYN, 1000), 0x0800)
    yield ethernet(tcp4(*here, SYN | ACK, 5000, 1001), 0x0800, **back)
    yield ethernet(tcp4(*there, ACK, 1001, 5001), 0x0800)
    yield ethernet(tcp4(*there, PSH | ACK, 1001, 5001, payload=request), 0x0800)
    yield ethernet(tcp4(*here, PSH | ACK, 5001, sent, payload=response), 0x0800, **back)
    yield ethernet(tcp4(*there, FIN | ACK, sent, received), 0x0800)
    yield ethernet(tcp4(*here, FIN | ACK, received, sent + 1), 0x0800, **back)
    yield ethernet(tcp4(*there, ACK, sent + 1, received + 1), 0x0800)

    yield ethernet(tcp4(CLIENT, 49153, SERVER, 443, SYN, 9000), 0x0800)
    yield ethernet(tcp4(SERVER, 443, CLIENT, 49153, RST | ACK, 0, 9001), 0x0800, **back)
    yield ethernet(tcp4(CLIENT, 49154, "198.51.100.7", 22, SYN, 7000), 0x0800, destination=ROUTER_MAC)

    # The long header that a QUIC Initial begins with (RFC 9000, section 17.2.2); what follows is no real ciphertext.
    initial = bytes([0xC3]) + struct.pack("!I", 1) + b"\x08" + bytes(range(8)) + b"\0\0" + b"\x40\x20" + bytes(32)
    yield ethernet(udp4(CLIENT, 50443, SERVER, 443, initial), 0x0800)

    solicited = b"\x33\x33\xff\x00\x00\x80"
    message = struct.pack("!BBHI", 135, 0, 0, 0) + packed(SERVER6) + b"\x01\x01" + CLIENT_MAC
    yield ethernet(ipv6(ICMP6, CLIENT6, "ff02::1:ff00:80", summed(ICMP6, CLIENT6, "ff02::1:ff00:80", message, 2), 255),
                   0x86DD, destination=solicited)
    message = struct.pack("!BBHI", 136, 0, 0, 0x60000000) + packed(SERVER6) + b"\x02\x01" + SERVER_MAC
    yield ethernet(ipv6(ICMP6, SERVER6, CLIENT6, summed(ICMP6, SERVER6, CLIENT6, message, 2), 255), 0x86DD, **back)
    yield ethernet(ipv6(TCP, CLIENT6, SERVER6, tcp(CLIENT6, 49155, SERVER6, 80, SYN, 3000)), 0x86DD)
    # A hop-by-hop header with one PadN option before UDP.
    hop = bytes([UDP, 0, 1, 4, 0, 0, 0, 0])
    query = dns(0x3333, 0x0100, 1, "www.example.com")
    yield ethernet(ipv6(0, CLIENT6, SERVER6, hop + udp(CLIENT6, 40054, SERVER6, 53, query)), 0x86DD)

    yield ethernet(ipv4(ICMP, CLIENT, SERVER, echo(8, 3), 0x103), 0x0800, tags=[(0x8100, 5)])
    yield ethernet(udp4(CLIENT, 40053, RESOLVER, 53, dns(0x4444, 0x0100, 1, "vlan.example.com")), 0x0800,
                   tags=[(0x8100, 3 << 13 | 300)])
    yield ethernet(tcp4(CLIENT, 49156, SERVER, 80, SYN, 4000), 0x0800, tags=[(0x88A8, 300), (0x8100, 400)])

    datagram = udp(CLIENT, 40055, SERVER, 9999, bytes(i & 0xFF for i in range(992)))
    for start, end in ((0, 400), (400, 800), (800, 1000)):
        more = 0x2000 if end < 1000 else 0
        yield ethernet(ipv4(UDP, CLIENT, SERVER, datagram[start:end], 0x777, more | start // 8), 0x0800)

    yield ethernet(ipv4(ICMP, ROUTER, CLIENT, unreachable(), 0x300), 0x0800, source=ROUTER_MAC, destination=CLIENT_MAC)


ROUTER = "192.0.2.1"


def unreachable():
    """An ICMP "host unreachable" that quotes the SYN to port 22."""
    quoted = tcp4(CLIENT, 49154, "198.51.100.7", 22, SYN, 7000)[:28]
    message = struct.pack("!BBHI", 3, 1, 0, 0) + quoted
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


def main(path):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for index, frame in enumerate(frames()):
            microseconds = 1000 * index + 250
            file.write(struct.pack("<IIII", 1_700_000_000, microseconds, len(frame), len(frame)) + frame)


main(sys.argv[1])
