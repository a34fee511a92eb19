#!/bin/bash
# The same five fields of cron come at other times in croniter 7.0.0 (Python) than in robfig/cron
# v3.0.1 (Go), which KEDA and Kubernetes use: who checks or previews a Kubernetes schedule with
# croniter is told another day or hour than the cluster keeps.
#
# 1. "0 8 1 * */1": robfig/cron takes a step of 1 for a star, so the first of a month decides;
#    croniter takes it for a list of all days, and either field is enough: every day.
# 2. "30 2 * * *" in a night in which clocks skip 2 to 3: robfig/cron comes the next day at 2:30,
#    croniter the same night at 3:00.
#
# Both are in their rights: POSIX says nothing of steps, and nothing of clocks that change.
#
# Prints what was seen; exits 0 if both behave so, 1 if one does not (any more).
# Needs: uv, Go, the package index and the module proxy. Seen 2026-11-30 on Linux.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/cases" <<'CASES'
0 8 1 * */1|UTC|2026-06-02T00:00:00+00:00
30 2 * * *|Europe/Berlin|2026-03-28T12:00:00+00:00
CASES

cat >"$work/compare.py" <<'PY'
import sys
from datetime import datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

import croniter

for line in open(sys.argv[1]):
    cron, zone, moment = line.strip().split("|")
    local = datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
    print(croniter.croniter(cron, local).get_next(datetime).isoformat())
print("croniter", version("croniter"), file=sys.stderr)
PY
uv run --quiet --no-project --with croniter==7.0.0 --with tzdata \
    python "$work/compare.py" "$work/cases" >"$work/croniter.txt"

mkdir "$work/robfig"
cat >"$work/robfig/main.go" <<'GO'
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
)

func main() {
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow) // as KEDA
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		parts := strings.Split(lines.Text(), "|")
		schedule, err := parser.Parse(parts[0])
		if err != nil {
			panic(err)
		}
		zone, err := time.LoadLocation(parts[1])
		if err != nil {
			panic(err)
		}
		moment, err := time.Parse(time.RFC3339, parts[2])
		if err != nil {
			panic(err)
		}
		fmt.Println(schedule.Next(moment.In(zone)).Format("2006-01-02T15:04:05-07:00"))
	}
}
GO
(
    cd "$work/robfig"
    go mod init compare >/dev/null 2>&1
    go get github.com/robfig/cron/v3@v3.0.1 >/dev/null 2>&1
    go version >&2
    go run . <"$work/cases" >"$work/robfig.txt"
)

echo "fields, zone, after | croniter 7.0.0 | robfig/cron v3.0.1"
paste -d' ' "$work/cases" <(sed 's/^/| /' "$work/croniter.txt") <(sed 's/^/| /' "$work/robfig.txt")
diff - "$work/croniter.txt" <<'SEEN' || exit 1
2026-06-02T08:00:00+00:00
2026-03-29T03:00:00+02:00
SEEN
diff - "$work/robfig.txt" <<'SEEN' || exit 1
2026-07-01T08:00:00+00:00
2026-03-30T02:30:00+02:00
SEEN
