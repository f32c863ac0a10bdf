#!/bin/sh
# Attaches and detaches programs on every hook with links, at clsact and for counting, a thousand times each, as root, and
# tells how many there were and how much more memory the process has behind them than in front: LEAK_CYCLES, a thousand
# unless it is set.
set -e
cd "$(dirname "$0")/../.."
LEAK_CYCLES="${LEAK_CYCLES:-1000}" swift test --filter LeakTests
