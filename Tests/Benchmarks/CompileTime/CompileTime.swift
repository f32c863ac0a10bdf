import PacketFilter

/// Prints how long the optimiser takes for libpcap's unoptimised program for a list of hosts, without libpcap's time.
///
/// Usage: `measure-compile-time HOOK HOSTS`, with the hook `xdp` or `tc`.
@main
enum CompileTime {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let count = Int(arguments[2]) else {
            return print("usage: measure-compile-time xdp|tc HOSTS")
        }
        let target: Target = arguments[1] == "xdp" ? .xdp(match: .drop) : .tc(match: .shot)
        let hosts = (0..<count).map { "host 10.\($0 >> 16 & 255).\($0 >> 8 & 255).\($0 & 255)" }
        let filter = try PacketFilter(hosts.joined(separator: " or "), optimized: false)
        var program: CompiledProgram?
        let time = try ContinuousClock().measure { program = try filter.compile(for: target) }
        let size = program!.program.linked().instructions.count
        print("\(arguments[1]): \(filter.classic.count) instructions to \(size) in \(time) (aim: under 2 s)")
    }
}
