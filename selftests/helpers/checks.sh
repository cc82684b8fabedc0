# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Common to the tests of the tools: a directory of their own for all that they write,
# and checks that count. A test ends with `finish`.

failed=0 nr=0
dir=$(mktemp -d)
chmod 777 "$dir"
cd "$dir" || exit 1
clean_up() {
	cd /
	rm -rf "$dir"
}
trap clean_up EXIT
echo "TAP version 13"

# equal SEEN EXPECTED
equal() {
	nr=$((nr + 1))
	if [ "$1" = "$2" ]; then
		echo "ok $nr $2"
	else
		echo "not ok $nr $2, but: $1"
		sed 's/^/# out: /' out 2>/dev/null | head -n 20
		sed 's/^/# err: /' err 2>/dev/null | head -n 20
		failed=1
	fi
}

# expect STATUS NAME COMMAND...: its output is in out and err.
expect() {
	local status=$1 name=$2
	shift 2
	"$@" >out 2>err
	equal "$name: status $?" "$name: status $status"
}

# has FILE REGEX [LINES]: LINES lines of it match, or some.
has() {
	if [ $# = 3 ]; then
		equal "$1 has /$2/: $(grep -cE -- "$2" "$1")" "$1 has /$2/: $3"
	else
		grep -qE -- "$2" "$1"
		equal "$1 has /$2/: $?" "$1 has /$2/: 0"
	fi
}

# lacks FILE REGEX
lacks() {
	grep -qE -- "$2" "$1"
	equal "$1 has /$2/: $?" "$1 has /$2/: 1"
}

# same FILE FILE NAME
same() {
	cmp -s "$1" "$2"
	equal "$3: $?" "$3: 0"
}

# await COMMAND...: until it succeeds.
await() {
	for _ in $(seq 2400); do
		"$@" && return
		sleep 0.1
	done
	equal "waited in vain" "$*"
}

# in_background COMMAND...: ends up in $pid, once it has written the first line of out. Job
# control, as others ignore SIGINT in the background.
in_background() {
	rm -f out
	set -m
	"$@" 2>err &
	pid=$!
	set +m
	await test -s out
}

# ended NAME STATUS: how that one ends.
ended() {
	wait "$pid"
	equal "$1: status $?" "$1: status $2"
}

finish() {
	echo "1..$nr"
	exit "$failed"
}
