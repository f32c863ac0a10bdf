#if os(Linux)
    import Foundation
    import Glibc

    /// A packet socket (AF_PACKET, SOCK_RAW) that sends and receives whole frames at one interface.
    ///
    /// It sees the frames that come in and those that other sockets send out there. Source: packet(7).
    public final class PacketSocket {
        /// The descriptor, for filters and other options. Closed with the last reference to this object.
        public let descriptor: CInt

        /// A frame as the socket received it.
        public struct Received: Hashable, Sendable {
            /// The bytes, of which a filter may have cut the end; an outer VLAN tag is not among them.
            public var bytes: [UInt8]
            /// The number of bytes before a filter cut any.
            public var originalLength: Int
            /// The VLAN tag that the kernel took out of the bytes.
            public var vlan: VLAN?
            /// The protocol that the kernel took the frame for, an EtherType such as 0x0800.
            public var proto: UInt16
            /// Who the frame was for: 0 this host, 1 all, 2 a group, 3 another host, 4 sent by this host.
            public var packetType: UInt8
        }

        /// A VLAN tag.
        public struct VLAN: Hashable, Sendable {
            /// The tag control information: priority, drop eligible, identifier.
            public var tci: UInt16
            /// The EtherType in front of it.
            public var tpid: UInt16

            /// Makes a tag.
            public init(tci: UInt16, tpid: UInt16 = 0x8100) {
                self.tci = tci
                self.tpid = tpid
            }
        }

        /// Opens a socket at the interface `name` of the caller's network namespace.
        ///
        /// - Parameters:
        ///   - name: The interface.
        ///   - prepare: Called with the descriptor before the first frame can arrive, to attach a filter.
        /// - Throws: ``NetworkError``, or what `prepare` throws.
        public init(at name: String, prepare: (CInt) throws -> Void = { _ in }) throws {
            // Protocol 0 receives nothing; only bind() lets frames in, and only that interface's.
            descriptor = socket(AF_PACKET, CInt(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw NetworkError(call: "socket(AF_PACKET)") }
            try set(SOL_SOCKET, SO_RCVBUFFORCE, to: 64 << 20, "SO_RCVBUFFORCE")
            try set(solPacket, packetAuxData, to: 1, "PACKET_AUXDATA")
            try prepare(descriptor)
            let index = if_nametoindex(name)
            guard index != 0 else { throw NetworkError(call: "if_nametoindex(\(name))") }
            let address = LinkAddress(proto: everyProtocol.bigEndian, interface: CInt(index))
            let status = withUnsafeBytes(of: address) {
                bind(descriptor, $0.bindMemory(to: sockaddr.self).baseAddress, socklen_t($0.count))
            }
            guard status == 0 else { throw NetworkError(call: "bind(\(name))") }
        }

        deinit { close(descriptor) }

        private func set(_ level: CInt, _ option: CInt, to value: CInt, _ name: String) throws {
            var value = value
            guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0 else {
                throw NetworkError(call: "setsockopt(\(name))")
            }
        }

        /// Gives what the socket sends from now on a mark (`SO_MARK`), which the kernel keeps beside a packet.
        public func mark(with mark: UInt32) throws {
            try set(SOL_SOCKET, SO_MARK, to: CInt(bitPattern: mark), "SO_MARK")
        }

        /// Sends `frame`, Ethernet header included.
        ///
        /// - Throws: ``NetworkError``; an Ethernet interface refuses frames shorter than 14 bytes.
        public func send(_ frame: [UInt8]) throws {
            guard Glibc.send(descriptor, frame, frame.count, 0) == frame.count else {
                throw NetworkError(call: "send of \(frame.count) bytes")
            }
        }

        /// Sends `frame` so that only its first `linearLength` bytes, or its Ethernet header if that is longer, lie in the
        /// linear part of the kernel's buffer.
        ///
        /// The kernel does so for frames that do not fit a page, 4,096 bytes on most machines, and only tells it the
        /// length of the headers (`PACKET_VNET_HDR`); source: packet(7) and `<linux/virtio_net.h>`.
        /// - Throws: ``NetworkError``.
        public func send(_ frame: [UInt8], linearLength: UInt16) throws {
            try send(frame, VirtualHeader(headerLength: linearLength))
        }

        /// Sends a frame with a TCP packet as one that the kernel cuts into segments.
        ///
        /// - Parameters:
        ///   - frame: The frame, with the checksum of the addresses, the protocol and the length, not inverted, in the TCP
        ///     header.
        ///   - offset: Where the TCP header begins, which has no options.
        ///   - segmentSize: How many bytes of data each segment gets.
        /// - Throws: ``NetworkError``.
        public func send(_ frame: [UInt8], tcpHeaderAt offset: UInt16, segmentSize: UInt16) throws {
            let isIPv6 = frame[12...].starts(with: [0x86, 0xdd])
            try send(
                frame,
                VirtualHeader(
                    flags: 1, segmentation: isIPv6 ? 4 : 1, headerLength: offset + 20, segmentSize: segmentSize,
                    checksumStart: offset, checksumOffset: 16))
        }

        private func send(_ frame: [UInt8], _ header: VirtualHeader) throws {
            try set(solPacket, packetVirtualHeader, to: 1, "PACKET_VNET_HDR")
            let bytes = withUnsafeBytes(of: header) { Array($0) } + frame
            let count = Glibc.send(descriptor, bytes, bytes.count, 0)
            try set(solPacket, packetVirtualHeader, to: 0, "PACKET_VNET_HDR")
            guard count == bytes.count else { throw NetworkError(call: "send of \(frame.count) bytes") }
        }

        /// The frames that have arrived; waits up to `timeout` milliseconds for the first one.
        ///
        /// A veth pair delivers during `send`, or soon after on another processor: after the last frame the socket must
        /// be quiet for `quiet` milliseconds.
        public func receiveAll(timeout: CInt = 1000, quiet: CInt = 100) throws -> [Received] {
            var frames: [Received] = []
            while let frame = try receive(timeout: frames.isEmpty ? timeout : quiet) { frames.append(frame) }
            return frames
        }

        /// The next frame, or nil if none arrives in `timeout` milliseconds.
        public func receive(timeout: CInt = 1000) throws -> Received? {
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&request, 1, timeout)
            guard ready >= 0 else { throw NetworkError(call: "poll") }
            if ready == 0 { return nil }

            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            var control = [UInt64](repeating: 0, count: 16)
            var address = LinkAddress(proto: 0, interface: 0)
            var message = msghdr()
            let count = bytes.withUnsafeMutableBytes { bytes in
                control.withUnsafeMutableBytes { control in
                    withUnsafeMutableBytes(of: &address) { address in
                        var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                        return withUnsafeMutablePointer(to: &part) { part in
                            message.msg_iov = part
                            message.msg_iovlen = 1
                            message.msg_control = control.baseAddress
                            message.msg_controllen = control.count
                            message.msg_name = address.baseAddress
                            message.msg_namelen = socklen_t(address.count)
                            return recvmsg(descriptor, &message, 0)
                        }
                    }
                }
            }
            guard count >= 0 else { throw NetworkError(call: "recvmsg") }
            guard let auxiliary = control.withUnsafeBytes({ AuxiliaryData($0.prefix(Int(message.msg_controllen))) })
            else { throw NetworkError("recvmsg: no PACKET_AUXDATA") }
            return Received(
                bytes: Array(bytes[..<count]), originalLength: Int(auxiliary.length), vlan: auxiliary.vlan,
                proto: UInt16(bigEndian: address.proto), packetType: address.packetType)
        }
    }

    // What <linux/if_packet.h> and <linux/if_ether.h> define; Swift's Glibc module does not have them.

    private let solPacket: CInt = 263
    private let packetAuxData: CInt = 8
    private let packetVirtualHeader: CInt = 15
    private let everyProtocol: UInt16 = 3  // ETH_P_ALL

    /// `struct sockaddr_ll`.
    private struct LinkAddress {
        var family = UInt16(AF_PACKET)
        var proto: UInt16
        var interface: CInt
        var hardwareType: UInt16 = 0
        var packetType: UInt8 = 0
        var addressLength: UInt8 = 0
        var address: UInt64 = 0

        init(proto: UInt16, interface: CInt) {
            self.proto = proto
            self.interface = interface
        }
    }

    /// `struct virtio_net_hdr`: what a sender tells the kernel of a frame.
    private struct VirtualHeader {
        /// 1 where the kernel has to finish the checksum.
        var flags: UInt8 = 0
        /// How the kernel cuts the packet: 0 not at all, 1 as TCP over IPv4, 4 as TCP over IPv6.
        var segmentation: UInt8 = 0
        var headerLength: UInt16
        var segmentSize: UInt16 = 0
        var checksumStart: UInt16 = 0
        var checksumOffset: UInt16 = 0
    }

    /// What `struct tpacket_auxdata` in a control message says.
    private struct AuxiliaryData {
        var length: UInt32
        var vlan: PacketSocket.VLAN?

        /// Finds the data in the control messages of a received frame: each is a length of 8 bytes, a level and a type
        /// of 4 bytes, and its data, padded to 8 bytes.
        init?(_ control: Slice<UnsafeRawBufferPointer>) {
            var message = UnsafeRawBufferPointer(rebasing: control)
            while message.count >= 16 {
                let size = Int(message.loadUnaligned(as: UInt64.self))
                guard size >= 16, size <= message.count else { return nil }
                if message.loadUnaligned(fromByteOffset: 8, as: CInt.self) == solPacket,
                    message.loadUnaligned(fromByteOffset: 12, as: CInt.self) == packetAuxData, size >= 16 + 20
                {
                    self.init(data: UnsafeRawBufferPointer(rebasing: message[16...]))
                    return
                }
                message = UnsafeRawBufferPointer(rebasing: message[min((size + 7) & ~7, message.count)...])
            }
            return nil
        }

        private init(data: UnsafeRawBufferPointer) {
            let status = data.load(as: UInt32.self)
            length = data.load(fromByteOffset: 4, as: UInt32.self)
            let hasTag = status & 0x10 != 0  // TP_STATUS_VLAN_VALID
            let hasTPID = status & 0x40 != 0  // TP_STATUS_VLAN_TPID_VALID
            guard hasTag else { return }
            vlan = PacketSocket.VLAN(
                tci: data.load(fromByteOffset: 16, as: UInt16.self),
                tpid: hasTPID ? data.load(fromByteOffset: 18, as: UInt16.self) : 0x8100)
        }
    }
#endif
