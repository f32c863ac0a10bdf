import Foundation

/// What the command line asks for.
struct Options {
    var programs: UInt64 = 100_000
    var packets = 4
    var seed = UInt64(UInt32.random(in: 0 ... .max))
    /// The one program to run, or nil for all.
    var only: UInt64?
    /// Which programs a worker runs, the first of them and how far the next is; nil in the process that starts workers.
    var part: (first: UInt64, step: UInt64)?
    /// Where a worker leaves the number of the program it is at.
    var place: String?

    init(_ arguments: ArraySlice<String>) {
        var arguments = arguments
        while let argument = arguments.popFirst() {
            guard let text = arguments.popFirst() else { Self.fail() }
            switch argument {
            case "--programs": programs = Self.number(text)
            case "--packets": packets = Int(Self.number(text))
            case "--seed": seed = Self.number(text)
            case "--only": only = Self.number(text)
            case "--part":
                let numbers = text.split(separator: "/").map { Self.number(String($0)) }
                part = (numbers[0], numbers[1])
            case "--place": place = text
            default: Self.fail()
            }
        }
    }

    private static func number(_ text: String) -> UInt64 {
        guard let number = UInt64(text) else { fail() }
        return number
    }

    private static func fail() -> Never {
        print("usage: compare-with-interpreter [--programs COUNT] [--packets COUNT] [--seed NUMBER] [--only NUMBER]")
        exit(64)
    }
}
