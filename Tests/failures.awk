# Repeats what a log of `swift test` says of failures, in at most 130 lines: each issue with what was expected and
# found, the tests and suites that failed, and the last words of the run.

function issue(line) { if (++issues <= 100) print substr(line, 1, 400) }

BEGIN { print "\n== what failed" }

/✘.*Test run with|Fatal error:|^error:|^\*\*\* / { last[lasts++] = $0 }
/✘.*Test run with/ { next }
/✘.*recorded an issue/ { issue($0); details = 12; next }
/✘/ { failed[faileds++] = $0; details = 0; next }
/◇|✔/ { details = 0; next }
details > 0 { details--; issue("    " $0) }

END {
    if (issues > 100) print "… and " issues - 100 " lines more"
    for (i = 0; i < faileds && i < 20; i++) print substr(failed[i], 1, 200)
    if (faileds > 20) print "… and " faileds - 20 " tests and suites more"
    for (i = lasts > 8 ? lasts - 8 : 0; i < lasts; i++) print substr(last[i], 1, 200)
}
