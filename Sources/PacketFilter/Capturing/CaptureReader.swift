#if os(Linux)
    import BPFCompiler
    import Glibc

    /// Makes packets of the records that a capturing program writes.
    final class CaptureReader {
        private let layout: CapturingLayout
        private let place: CapturePlace
        private let linkType: LinkType
        let interface: CapturedPacket.Interface?
        private let dropReasons: [UInt32: String]?
        private let direction: CapturedPacket.Direction
        private var clock: CaptureClock

        init(_ layout: CapturingLayout, _ place: CapturePlace, _ source: CapturingSource) throws {
            self.layout = layout
            self.place = place
            linkType = try place.linkType
            interface = try place.networkInterface.map { .init(index: $0.index, name: $0.name) }
            dropReasons = source.dropReasons
            direction = place.direction
            clock = CaptureClock(CapturingProgram.clock(on: KernelVersion.running))
        }

        /// Looks whether the time of day has been changed.
        func setClock() { clock.set() }

        /// The packet of a record.
        func packet(_ record: UnsafeRawBufferPointer) -> CapturedPacket {
            let record = CapturedRecord(record, layout, hasDropReason: dropReasons != nil)
            let isEthernet = layout.hook.context == .tracing ? record.linkLayer == .ethernet : linkType == .ethernet
            var packet = CapturedPacket(
                time: clock.timeOfDay(record.time), bytes: [], wireLength: record.length,
                linkType: layout.hook.context == .tracing ? (isEthernet ? .ethernet : .rawIP) : linkType,
                interface: interface ?? .init(index: record.interface, name: record.interfaceName ?? ""),
                direction: direction)
            packet.bytes.reserveCapacity(record.bytes.count + record.rest.count + 4)
            packet.bytes.append(contentsOf: record.bytes)
            packet.bytes.append(contentsOf: record.rest)
            if isEthernet, let tag = record.tag { packet.insert(tag, layout.snapshotLength) }
            if layout.hook.context == .socketBuffer { packet.setReception(record.packetType, at: place) }
            if let reason = record.dropReason { packet.dropReason = dropReasons?[reason] ?? "\(reason)" }
            return packet
        }
    }

    extension CapturedPacket {
        /// Puts a VLAN tag where it was: behind the addresses.
        fileprivate mutating func insert(_ tag: (protocol: UInt16, value: UInt16), _ snapshotLength: Int) {
            wireLength += 4
            guard bytes.count >= 12 else { return }
            bytes.insert(
                contentsOf: [tag.protocol, tag.value].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }, at: 12)
            if bytes.count > snapshotLength { bytes.removeLast(bytes.count - snapshotLength) }
        }

        /// From `PACKET_…` of `<linux/if_packet.h>`, which a packet socket has of packets that go out, too.
        fileprivate mutating func setReception(_ type: UInt32, at place: CapturePlace) {
            if case .packetSocket = place { direction = type == 4 ? .outbound : .inbound }
            guard direction == .inbound else { return }
            reception = [0: .unicast, 1: .broadcast, 2: .multicast, 3: .promiscuous][type]
        }
    }

    extension CapturePlace {
        /// Where all packets are going there.
        fileprivate var direction: CapturedPacket.Direction {
            if case .traffic(_, let direction, _) = self { return direction == .egress ? .outbound : .inbound }
            switch hook {
            case .xdp, .xdpFrags, .tcxIngress, .cgroupIngress: return .inbound
            case .tcxEgress, .cgroupEgress, .netkitPrimary, .netkitPeer: return .outbound
            default: break
            }
            guard case .netfilter(let hook, _) = self else { return .unknown }
            switch hook {
            case .prerouting, .input: return .inbound
            case .output, .postrouting: return .outbound
            case .forward: return .unknown
            }
        }
    }

    /// Turns the kernel's times of packets into the time of day.
    struct CaptureClock {
        private let clock: CapturingProgram.Clock
        /// How far the clock is ahead of the time of day, in nanoseconds.
        private var offset: Int64 = 0

        init(_ clock: CapturingProgram.Clock) {
            self.clock = clock
            offset = difference()
        }

        /// Both clocks go at the same speed; what is less than a millisecond is that they are not read at once.
        mutating func set() {
            let difference = difference()
            if abs(difference - offset) > 1_000_000 { offset = difference }
        }

        /// Nanoseconds since 1970.
        func timeOfDay(_ time: UInt64) -> UInt64 { time &- UInt64(bitPattern: offset) }

        /// The clock's time minus the time of day, the middle of two readings.
        private func difference() -> Int64 {
            let id: clockid_t = clock == .atomic ? CLOCK_TAI : CLOCK_MONOTONIC
            let (before, time, after) = (now(CLOCK_REALTIME), now(id), now(CLOCK_REALTIME))
            let difference = time - (before + (after - before) / 2)
            guard clock == .atomic else { return difference }
            // Leap seconds are whole ones.
            let second: Int64 = 1_000_000_000
            return Int64((Double(difference) / Double(second)).rounded()) * second
        }
    }

    /// What a clock shows, in nanoseconds.
    func now(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
#endif
