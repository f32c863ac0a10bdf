import BPFObject
import ExtendedBPF
import Foundation
import Testing
import TestSupport

/// What the kernel's own functions and structures become in the hands of libbpf, held against the kernel's BTF.
@Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
struct KernelReferenceTests {
    @Test(.enabled(if: castsToVoid, "needs Linux 6.17"))
    func kernelFunctionsAreFoundAndInlined() throws {
        let file = try ObjectFolder(inlineLoadsObject())
        let text = try withPins(
            file,
            """
            bpftool prog load "$1" $pin
            run 'abcdefghijkl\\010\\000ABCDEFGHIJKLM\\007'
            bpftool prog dump xlated pinned $pin
            """)
        // A socket filter sees no Ethernet header: 14 + 50 bytes, and the 7.
        #expect(fields(text).contains("returned 71"), "\(text)")
        #expect(!text.contains("call"), "\(text)")
        let types = try kernelTypes()
        let length = try types.byteOffset(of: "len", in: "sk_buff")
        let data = try types.byteOffset(of: "data", in: "sk_buff")
        #expect(text.contains("r7 = *(u32 *)(r6 +\(length))"), "\(text)")
        #expect(text.contains("r1 = *(u64 *)(r6 +\(data))"), "\(text)")
    }

    /// Every function that is declared has the parameters that this kernel's has, as libbpf compares them. What the
    /// verifier says of calls without arguments is of no interest.
    @Test(arguments: KernelDeclarations.known.functions.keys.sorted())
    func declaredFunctionsAreTheKernels(name: String) throws {
        let call = Function(
            name: "caller", instructions: [kernelFunctionCall, .move64(.r0, 0), .exit],
            references: [0: .kernelFunction(name)])
        let object = Object(
            program: Program(functions: [call]), section: "classifier", source: oneLine, contextType: "__sk_buff")
        let file = try ObjectFolder(object)
        let number = try kernelTypes().typeID(of: .function, named: name).rawValue
        let text = try runWithPins(file.path, "bpftool -d prog load \"$1\" $pin").errors
        #expect(!text.contains("Error loading .BTF"), "\(text)")
        #expect(text.contains("extern (func ksym) '\(name)': resolved to kernel [\(number)]"), "\(text)")
        #expect(text.contains("call \(name)#\(number)") || text.contains("calling kernel function"), "\(text)")
    }

    /// A filter that adds the distance of every declared member to 0, one after the other.
    private static func distances() -> (members: [(structure: String, member: String)], object: Object) {
        let members = KernelDeclarations.known.members.sorted { $0.key < $1.key }.flatMap { structure, members in
            members.keys.sorted().map { (structure: structure, member: $0) }
        }
        var code = Assembler(functionNamed: "distances")
        code.append(.move64(.r0, 0))
        for (structure, member) in members {
            code.append(.alu64(.add, .r0, 0), .kernelField(structure: structure, member: member))
        }
        code.append(.move64(.r1, 0))
        code.append(.move64(.r1, 0), .kernelType("sk_buff"))
        code.append(.move64(.r1, 0), .kernelType("iphdr"))
        code.append(.exit)
        let function = try! code.finish()
        return (
            members,
            Object(
                program: Program(functions: [function]), section: "socket", source: oneLine, contextType: "__sk_buff")
        )
    }

    /// The prototypes in use: a byte of the packet through a dynptr.
    @Test(arguments: [("classifier", "__sk_buff", "bpf_dynptr_from_skb"), ("xdp", "xdp_md", "bpf_dynptr_from_xdp")])
    func dynptrsReadPackets(section: String, contextType: String, function: String) throws {
        var code = Assembler(functionNamed: "dynptr")
        let end = code.makeLabel()
        code.append(.move64(.r2, 0))
        code.append(.move64(.r3, .r10))
        code.append(.alu64(.add, .r3, -16))
        code.append(kernelFunctionCall, .kernelFunction(function))
        code.append(.move64(.r1, .r10))
        code.append(.alu64(.add, .r1, -16))
        code.append(.move64(.r2, 13))
        code.append(.move64(.r3, .r10))
        code.append(.alu64(.add, .r3, -24))
        code.append(.move64(.r4, 1))
        code.append(kernelFunctionCall, .kernelFunction("bpf_dynptr_slice"))
        code.append(.jump64(if: .r0, .equal, 0, 0), to: end)
        code.append(.load(.byte, .r0, .r0, 0))
        code.place(end)
        code.append(.exit)
        let object = Object(
            program: Program(functions: [try code.finish()]), section: section, source: oneLine,
            contextType: contextType)
        let text = try withPins(ObjectFolder(object), "bpftool prog load \"$1\" $pin; run 'abcdefghijkl\\010\\052'")
        #expect(fields(text) == ["returned 42"], "\(text)")
    }

    @Test func declaredMembersAreWhereTheKernelHasThem() throws {
        let (members, object) = Self.distances()
        let text = try withPins(
            ObjectFolder(object), "bpftool prog load \"$1\" $pin; bpftool prog dump xlated pinned $pin")
        let types = try kernelTypes()
        let found = fields(text).compactMap { line in line.firstRange(of: "r0 += ").map { line[$0.upperBound...] } }
        let wanted = try members.map { structure, member in
            // One level of structures in structures is all that is declared.
            let path = member.split(separator: ".").map(String.init)
            let inner = path.count == 1 ? 0 : try types.byteOffset(of: path[1], in: "sock_common")
            return try types.byteOffset(of: path[0], in: structure) + inner
        }
        #expect(found.map { Int($0) } == wanted, "\(text)")
        let numbers = fields(text).compactMap { line in line.firstRange(of: "r1 = ").map { line[$0.upperBound...] } }
        let skb = try types.typeID(of: .structure, named: "sk_buff").rawValue
        let header = try types.typeID(of: .structure, named: "iphdr").rawValue
        #expect(numbers.map { UInt32($0) } == [0, skb, header])
    }

    /// libbpf would silently change the width of a load if it were not.
    @Test func declaredMembersHaveTheKernelsSize() throws {
        let folder = try TemporaryFolder()
        let header = try output("bpftool", ["btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"])
        var code = header
        for (structure, members) in KernelDeclarations.known.members {
            for (member, type) in members {
                code += "\n_Static_assert(sizeof(((struct \(structure) *)0)->\(member)) == \(size(of: type)), "
                code += "\"\(structure).\(member)\");"
            }
        }
        try folder.file("sizes.c", containing: Array((code + "\n").utf8))
        _ = try output("gcc", ["-w", "-fsyntax-only", folder.path("sizes.c")])
    }

    private func size(of type: CType) -> UInt32 {
        switch type {
        case .void, .structure: 0
        case .bool: 1
        case .integer(let bytes, _): bytes
        case .pointer: 8
        case .array(let element, let count): size(of: element) * count
        }
    }

    @Test func aMemberThatNoKernelHasIsNotLoaded() throws {
        var (_, object) = Self.distances()
        var declarations = KernelDeclarations.known
        declarations.members["sk_buff"]?["no_such"] = .int
        object.declarations = declarations
        object.program.functions[0].references[1] = .kernelField(structure: "sk_buff", member: "no_such")
        let file = try ObjectFolder(object)
        let result = try runWithPins(file.path, "bpftool prog load \"$1\" $pin")
        #expect(result.status != 0)
        #expect(result.errors.contains("invalid CO-RE relocation"), "\(result.errors)")
        #expect(result.errors.contains("<byte_off> [") && result.errors.contains("struct sk_buff.no_such"))
    }

    /// Loads and stores of other functions than the first, and of a structure in a structure.
    @Test func functionsInTextAreRelocatedToo() throws {
        var entry = Assembler(functionNamed: "outer")
        entry.append(.call(localAt: 0), .function("inner"))
        entry.append(.exit)
        var inner = Assembler(functionNamed: "inner")
        inner.append(kernelFunctionCall, .kernelFunction("bpf_cast_to_kern_ctx"))
        inner.append(.load(.doubleword, .r0, .r0, 0), .kernelField(structure: "sk_buff", member: "dev"))
        inner.append(.load(.word, .r0, .r0, 0), .kernelField(structure: "net_device", member: "ifindex"))
        inner.append(.exit)
        let object = Object(
            program: Program(functions: [try entry.finish(), try inner.finish()]), section: "classifier",
            source: oneLine, contextType: "__sk_buff")
        let text = try withPins(
            ObjectFolder(object),
            "bpftool prog load \"$1\" $pin; run 'abcdefghijkl\\010\\000'; bpftool prog dump xlated pinned $pin")
        let types = try kernelTypes()
        let device = try types.byteOffset(of: "dev", in: "sk_buff")
        let index = try types.byteOffset(of: "ifindex", in: "net_device")
        #expect(text.contains("r0 = *(u64 *)(r0 +\(device))"), "\(text)")
        #expect(text.contains("r0 = *(u32 *)(r0 +\(index))"), "\(text)")
        // Test runs have the loopback device, number 1.
        #expect(fields(text).contains("returned 1"), "\(text)")
    }
}
