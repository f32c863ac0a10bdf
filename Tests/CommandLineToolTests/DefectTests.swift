@testable import CommandLineTool
@testable import PacketFilter
import Foundation
import SystemPackage
import TestSupport
import Testing

/// No input is known that finds a defect, so one is made up.
@Suite struct DefectTests {
    @Test func aDefectHasItsOwnExitCodeAndAsksForAReport() throws {
        let folder = try TemporaryFolder()
        let errors = try FileDescriptor.open(
            FilePath(folder.path("errors")), .writeOnly, options: [.create], permissions: .ownerReadWrite)
        let console = Console(input: .standardInput, output: .standardOutput, errors: errors)
        #expect(CommandLineTool.finish(with: Defect("instruction 3 is not valid"), on: console) == 70)
        try errors.close()
        #expect(
            try String(contentsOf: folder.url("errors"), encoding: .utf8)
                == "cbpf2ebpf: instruction 3 is not valid; this is a defect of cbpf2ebpf, please report it\n")
    }
}
