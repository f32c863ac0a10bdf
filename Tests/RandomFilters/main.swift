// Compares optimised programs of random filters with the filters, each in its reference machine: every hook, instruction
// set, byte order and selection of passes by chance, on random packets with random metadata.
//
//     compare-with-interpreter [--programs COUNT] [--packets COUNT] [--seed NUMBER] [--only NUMBER]
//
// Prints the seed, and for a program that decides otherwise, or that the compiler dies of, its number, the filter as
// `tcpdump -ddd` would print it and what it was compiled for; `--seed` and `--only` run it again. Exits with 1 then.

import FilterComparison
import Foundation

let options = Options(CommandLine.arguments.dropFirst())
let status: Int32
if let number = options.only {
    print("program \(number): \(RandomCase(seed: options.seed, number: number))")
    fflush(nil)
    status = Worker(options).check([number]) ? 0 : 1
} else if let part = options.part {
    status = Worker(options).check(stride(from: part.first, to: options.programs, by: Int(part.step))) ? 0 : 1
} else {
    status = Supervisor(options).run() ? 0 : 1
}
exit(status)
