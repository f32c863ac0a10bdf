import BPFAssembly
import BPFCompiler
import BPFInterpreter
import BPFObject
import ClassicBPF
import ExtendedBPF
import Pcap

// The names of the modules below that a user of this one needs, so that one import is enough.

/// A classic BPF program, validated.
public typealias ClassicProgram = ClassicBPF.Program
/// One classic BPF instruction.
public typealias ClassicInstruction = ClassicBPF.Instruction
/// An eBPF program.
public typealias ExtendedProgram = ExtendedBPF.Program
/// One eBPF instruction.
public typealias ExtendedInstruction = ExtendedBPF.Instruction
/// The order of the bytes of a multi-byte field.
public typealias ByteOrder = ExtendedBPF.ByteOrder
/// A place in the kernel where a program can decide about packets.
public typealias Hook = BPFCompiler.Hook
/// A hook, and what the two answers of a filter become there.
public typealias Target = BPFCompiler.Target
/// The packet that a filter is shown, as to its outer VLAN tag.
public typealias VLANView = BPFCompiler.VLANView
/// What a program tells its hook to do with a packet.
public typealias Verdict = BPFCompiler.Verdict
/// The verdicts of traffic control.
public typealias TCVerdict = BPFCompiler.TCVerdict
/// The verdicts of tcx and netkit.
public typealias TCXVerdict = BPFCompiler.TCXVerdict
/// The verdicts of XDP.
public typealias XDPVerdict = BPFCompiler.XDPVerdict
/// The verdicts of control groups.
public typealias CgroupVerdict = BPFCompiler.CgroupVerdict
/// The verdicts of light-weight tunnels.
public typealias LWTVerdict = BPFCompiler.LWTVerdict
/// The verdicts of netfilter.
public typealias NetfilterVerdict = BPFCompiler.NetfilterVerdict
/// How programs are made, apart from what they are for.
public typealias CompilerOptions = BPFCompiler.CompilerOptions
/// The versions of the eBPF instruction set.
public typealias InstructionSet = BPFCompiler.InstructionSet
/// A kind of processor.
public typealias Architecture = BPFCompiler.Architecture
/// A version of Linux.
public typealias KernelVersion = BPFCompiler.KernelVersion
/// Why a filter cannot become a program.
public typealias CompilerError = BPFCompiler.CompilerError
/// What the packets of a capture begin with.
public typealias LinkType = Pcap.LinkType
/// Why an expression or a capture file is refused, with libpcap's message.
public typealias PcapError = Pcap.PcapError
/// The filters in what iptables and tc print.
public typealias RuleBytecode = BPFAssembly.RuleBytecode
/// Why a text is no program, with line and column.
public typealias AssemblyError = BPFAssembly.AssemblyError
/// All that keeps a text from being a program.
public typealias AssemblyErrors = BPFAssembly.AssemblyErrors
/// Why instructions cannot be written in a form.
public typealias WritingError = BPFAssembly.WritingError
/// The forms that classic programs come in.
public typealias ClassicForm = BPFAssembly.ClassicForm
/// A classic program that was read, not validated.
public typealias ClassicSource = BPFAssembly.ClassicSource
/// A file of libpcap's format for saving filters.
public typealias Savefile = BPFAssembly.Savefile
/// What is wrong with a classic program, by the rules of the kernel and of libpcap.
public typealias CheckDocument = BPFAssembly.CheckDocument
/// Why an object cannot hold a program.
public typealias ObjectError = BPFObject.ObjectError
/// Why an interpreter stopped, and at which instruction.
public typealias Trap = BPFInterpreter.Trap
