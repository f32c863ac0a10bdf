// Going on behind an error, to find the next one.
extension ExpressionParser {
    /// Parses all of the text; the tree is of no use where there are errors.
    mutating func allErrors() -> AssemblyErrors? {
        var errors = ErrorCollector()
        var step: Step?
        while step != .end, !errors.isFull {
            do throws(AssemblyError) {
                step = if let step { try next(step) } else { try start() }
            } catch {
                if !closesLoad { errors.add(error) }
                step = recover()
            }
        }
        return errors.collected
    }

    /// Whether the error is that a load ends here of which an error was found before an `and` or `or` inside.
    private var closesLoad: Bool { strayBrackets > 0 && token.kind == .rightBracket }

    /// Gives up what is begun since the last `and`, `or`, `not` or opening parenthesis; what comes next is its end.
    private mutating func recover() -> Step {
        // A number stands for what could not be read, and anything may be carried over from it.
        addLeaf(.number, token.start..<token.start)
        skipUnknown()
        return token.kind == .end ? .end : .complete(.unknown)
    }

    /// Moves to the end of the part of a condition that an error is in.
    mutating func skipUnknown() {
        dropPrimitives()
        qualifiers = Qualifiers(word: 0, direction: .unsaid, type: .host).packed
        var depth = plainParentheses
        plainParentheses = 0
        while true {
            switch token.kind {
            case .end: return
            case .and where depth == 0, .or where depth == 0: return
            case .leftParenthesis: depth += 1
            case .rightParenthesis where depth > 0: depth -= 1
            case .leftBracket: strayBrackets += 1
            case .rightBracket: strayBrackets -= strayBrackets > 0 ? 1 : 0
            case .rightParenthesis:
                // One too many has been reported if it is the error, and may come of it if it is not.
                if groups > 0 { return }
            default: break
            }
            // What is wrong in here may come of the error too.
            skip()
        }
    }

    private mutating func dropPrimitives() {
        while let last = frames.last {
            switch last {
            case .not, .logical, .group: return
            case .load: strayBrackets += 1
            case .primitive, .optionalNumber, .binary, .negation, .comparison: break
            }
            frames.removeLast()
        }
    }
}
