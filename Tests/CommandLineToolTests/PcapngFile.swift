#if os(Linux)
    import Foundation
    import TestSupport

    /// A file in the pcapng format as a reader written for the tests sees it, options included, of which libpcap tells
    /// nothing.
    struct PcapngFile: Decodable {
        struct Interface: Decodable, Equatable {
            var linktype, snaplen: Int
            var name, filter: String?
            var resolution: Int?
        }
        struct Packet: Decodable, Equatable {
            var interface, time, length: Int
            var bytes: String
            var flags: Int
            var comment: String?
        }
        struct Statistics: Decodable, Equatable {
            var interface, received, dropped, start, end: Int
        }
        var application: String?
        var interfaces: [Interface]
        var packets: [Packet]
        var statistics: [Statistics]

        /// - Throws: Where a block does not end where it says, or the reader fails otherwise.
        init(_ path: String) throws {
            let result = try run("python3", ["-c", Self.reader, path])
            guard result.status == 0 else { throw Failure(description: result.errors) }
            self = try JSONDecoder().decode(PcapngFile.self, from: Data(result.output))
        }

        struct Failure: Error { var description: String }

        private static let reader = """
            import json, struct, sys
            data = open(sys.argv[1], 'rb').read()
            def options(part):
                found = {}
                while len(part) >= 4:
                    code, size = struct.unpack('=HH', part[:4])
                    if code == 0: assert len(part) == 4; break
                    found[code] = part[4:4 + size]
                    assert len(found[code]) == size
                    part = part[4 + (size + 3 & ~3):]
                return found
            text = lambda value: None if value is None else value.decode()
            number = lambda value: int.from_bytes(value, sys.byteorder)
            time = lambda high, low: high << 32 | low
            file = dict(application=None, interfaces=[], packets=[], statistics=[])
            place = 0
            while place < len(data):
                kind, size = struct.unpack_from('=II', data, place)
                assert size % 4 == 0 and struct.unpack_from('=I', data, place + size - 4)[0] == size
                body = data[place + 8:place + size - 4]
                if kind == 0x0a0d0d0a:
                    assert place == 0 and struct.unpack('=IHHq', body[:16]) == (0x1a2b3c4d, 1, 0, -1)
                    file['application'] = text(options(body[16:]).get(4))
                elif kind == 1:
                    found = options(body[8:])
                    link, reserved, snaplen = struct.unpack('=HHI', body[:8])
                    assert reserved == 0
                    file['interfaces'].append(dict(
                        linktype=link, snaplen=snaplen, name=text(found.get(2)), resolution=found[9][0],
                        filter=text(found[11][1:]) if 11 in found else None))
                elif kind == 6:
                    interface, high, low, captured, length = struct.unpack('=IIIII', body[:20])
                    found = options(body[20 + (captured + 3 & ~3):])
                    assert interface < len(file['interfaces'])
                    file['packets'].append(dict(
                        interface=interface, time=time(high, low), length=length, bytes=body[20:20 + captured].hex(),
                        flags=number(found.get(2, b'')), comment=text(found.get(1))))
                elif kind == 5:
                    found = options(body[12:])
                    file['statistics'].append(dict(
                        interface=struct.unpack('=I', body[:4])[0], received=number(found[4]), dropped=number(found[5]),
                        start=time(*struct.unpack('=II', found[2])), end=time(*struct.unpack('=II', found[3]))))
                else: raise ValueError(kind)
                place += size
            json.dump(file, sys.stdout)
            """
    }
#endif
