/// At most two elements. Unlike an array it takes no memory of its own, which counts where there are tens of thousands.
struct Few<Element>: RandomAccessCollection {
    private var first: Element?
    private var second: Element?

    init(_ first: Element? = nil) {
        self.first = first
    }

    init(_ first: Element, _ second: Element) {
        self.first = first
        self.second = second
    }

    var startIndex: Int { 0 }
    var endIndex: Int { first == nil ? 0 : second == nil ? 1 : 2 }

    subscript(place: Int) -> Element {
        precondition(place >= 0 && place < endIndex, "there are \(endIndex) elements")
        return place == 0 ? first! : second!
    }
}

extension Few: Sendable where Element: Sendable {}
