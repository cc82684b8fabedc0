#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kmon-plot draws each process once, shows what became of it, and lets no foreign byte through.
set -u
umask 022

. "$(dirname "$0")/helpers/checks.sh"
trap 'umount "$dir/small" 2>/dev/null; clean_up' EXIT

bars() { grep -c '^<g class="p ' "$1"; }

# Every element ends where it should, attributes are quoted, and all else is text.
well_formed() {
	awk '
	{ all = all $0 "\n" }
	END {
		n = split(all, part, "<")
		if (part[1] != "") exit 1
		for (i = 2; i <= n; i++) {
			end = index(part[i], ">")
			tag = substr(part[i], 1, end - 1)
			text = substr(part[i], end + 1)
			gsub(/&(lt|gt|amp);/, "", text)
			if (!end || text ~ /[&>]/ || (!depth && i < n && i > 2)) exit 1
			if (tag ~ /^\//) {
				if (open[depth--] != substr(tag, 2)) exit 1
				continue
			}
			if (tag !~ /^[a-z]+( [a-zA-Z-]+="[^"<&]*")*\/?$/) exit 1
			name = tag
			sub(/[ \/].*/, "", name)
			if (tag !~ /\/$/) open[++depth] = name
		}
		exit depth != 0
	}' "$1" && ! grep -q '[[:cntrl:]]' "$1"
	equal "$1 is well-formed: $?" "$1 is well-formed: 0"
}

# Values are put together until there is one.
is_json() {
	awk '
	{ all = all $0 }
	END {
		gsub(/"([^"\\]|\\["\\\/bfnrt]|\\u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F])*"/,
		     "S", all)
		gsub(/-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?|true|false|null/, "V", all)
		do {
			n = gsub(/\{(S:[SV](,S:[SV])*)?\}/, "V", all)
			n += gsub(/\[([SV](,[SV])*)?\]/, "V", all)
		} while (n)
		exit all != "V"
	}' "$1" && ! grep -q '[[:cntrl:]]' "$1"
	equal "$1 is JSON: $?" "$1 is JSON: 0"
}

expect 0 "version" kmon-plot --version
has out '^kmon-plot [0-9.]*$'
expect 2 "nothing to follow" kmon-plot
expect 2 "a command and a recording" kmon-plot -f rec true
expect 2 "a terminal" bash -c 'kmon-plot true >/dev/console'
has err 'standard output is a terminal: give -o FILE'
expect 127 "a program that is not there" kmon-plot -o none.svg ./none
equal "$(find . -name 'none.svg*' | wc -l) files" "0 files"

# A success, a failure, a death, a daemon.
cat >job <<'JOB'
/bin/true
/bin/false
sh -c 'kill -KILL $$'
sh -c 'setsid sleep 0.3 >/dev/null 2>&1 &'
exit 5
JOB
expect 5 "a command" kmon-plot -w rec -o a.svg -- sh job
kmon-tail -f rec -F '{event} {status}' >text
processes=$(($(grep -c '^fork' text) + 1))
ended=$(grep -c '^exit' text)
lost=$(grep -c '^lost' text)
equal "$processes processes, $ended ended, $lost lost" "6 processes, 6 ended, 0 lost"
has err '^kmon-plot: 6 processes, 3 failed, 0 lost, [0-9.]+ s$'
well_formed a.svg
equal "$(bars a.svg) bars" "$processes bars"
equal "$(grep -c 'class="x"' a.svg) of them marked" "3 of them marked"
has a.svg '^<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="[0-9]+" '
has a.svg '>sh job</text>'
has a.svg '>6 processes, .*>3 failed<.*>0 records lost<'
equal "$(grep -c '^killed by SIGKILL</title>' a.svg) killed" "1 killed"
equal "$(grep -c '^exit 5</title>' a.svg) exit 5" "1 exit 5"
has a.svg '^[0-9.]+ m?s from [0-9.]+ (µs|ms|s), CPU [0-9.]+ (µs|ms|s), max RSS [0-9.]+ MiB$'
# The daemon is drawn below the shell that started it, which is gone.
shell=$(grep -B1 "^sh -c 'setsid" a.svg | sed -n 's/^<g.*, pid \([0-9]*\), .*/\1/p')
equal "$(grep -A1 "<title>.*, parent $shell\$" a.svg | tail -n 1)" "sleep 0.3"

expect 0 "the same from the recording" kmon-plot -q -f rec
cmp -s out a.svg
equal "the same picture: $?" "the same picture: 0"
equal "$(wc -c <err) bytes on standard error" "0 bytes on standard error"

expect 0 "a trace" kmon-plot -f rec -o a.json
is_json a.json
equal "$(grep -c '"cat":"process' a.json) processes" "$processes processes"
equal "$(grep -c '^{"ph":"M","name":"process_name",' a.json) names" "$processes names"
has a.json '^\{"ph":"X","name":"[a-z]+","pid":[0-9]+,"tid":[0-9]+,"cat":"process","ts":[0-9.]+,"dur":[0-9.]+,"args":\{.*"args":"sleep 0.3",'
has a.json '"end":"killed by SIGKILL",.*"status":9,.*"user_ms":[0-9.]+,"system_ms":[0-9.]+,"maxrss_kib":[0-9]+'

# Names and arguments that would be markup.
cat >hostile <<'JOB'
(printf '</title><script' >/proc/self/comm; :)
(printf 'a"\\\tb' >/proc/self/comm; :)
/bin/true '</title><script>alert(1)</script>' '&amp;' $'\xef\xbf\xbe' $'\xff\033[31m'
JOB
expect 0 "hostile names" kmon-plot -q -w hostile.rec -o hostile.svg bash hostile
well_formed hostile.svg
equal "$(grep -c '<script' hostile.svg) scripts" "0 scripts"
has hostile.svg '<title>&lt;/title&gt;&lt;script, pid '
has hostile.svg "&lt;script&gt;alert\(1\)&lt;/script&gt;.* '&amp;amp;' "
has hostile.svg 'xff.x1b\[31m'
equal "$(grep -c $'\xef\xbf\xbe' hostile.svg) characters that XML has not" \
	"0 characters that XML has not"
expect 0 "hostile names in a trace" kmon-plot -q -f hostile.rec -o hostile.json
is_json hostile.json
has hostile.json '"name":"a\\"\\\\\\\\\\\\x09b"'

# Recordings that end early.
kmon-tail -q -w empty -p $$ -D 0.1 -e coredump >out 2>err
expect 0 "an empty recording" kmon-plot -f empty -o empty.svg
well_formed empty.svg
has empty.svg '>no processes</text>'
expect 0 "its trace" kmon-plot -f empty -o empty.json
is_json empty.json
head -c 1500 rec >part
expect 0 "a recording that is cut" kmon-plot -f part -o cut.svg
well_formed cut.svg
has cut.svg '^still running</title>'
echo nothing >nothing
expect 1 "no recording" kmon-plot -f nothing -o nothing.svg
has err '^kmon-plot: -f nothing: not a recording of kmonitor$'
expect 1 "a recording that is not there" kmon-plot -f absent -o nothing.svg
equal "$(find . -name 'nothing.svg*' | wc -l) files" "0 files"

# A loss is shown in its place, and what it hides is not made up.
# shellcheck disable=SC2016 # for another shell
echo 'for i in $(seq 50); do /bin/true & done; wait' >burst
expect 3 "a loss" kmon-plot --ring 2 --fail-on-loss -w lost.rec -o lost.svg sh burst
kmon-tail -f lost.rec -F '{event} {details}' >text
lost=$(sed -n 's/.*LOST \([0-9]*\) rec.*/\1/p' text | awk '{ n += $1 } END { print n + 0 }')
equal "$((lost > 0)) losses" "1 losses"
well_formed lost.svg
has lost.svg "^<text class=\"m\".*>52 processes, .*>$lost records lost<"
# in_bands FILE
in_bands() {
	sed -n 's/^<g class="lost d"><title>\([0-9]*\) records* lost here<.*/\1/p' "$1" |
		awk '{ n += $1 } END { print n + 0 }'
}
equal "$(in_bands lost.svg) in bands" "$lost in bands"
# Losses at one place are one band.
{ cat lost.rec && tail -c +$(($(wc -c <empty) + 1)) lost.rec; } >twice.rec
kmon-plot -q -f twice.rec -o twice.svg
equal "$(in_bands twice.svg) in bands" "$((2 * lost)) in bands"
equal "$(($(bars lost.svg) <= 52)) bars at most" "1 bars at most"
expect 0 "the trace of a loss" kmon-plot -q -f lost.rec -o lost.json
is_json lost.json
equal "$(sed -n 's/.*"records lost".*"count":\([0-9]*\).*/\1/p' lost.json |
	awk '{ n += $1 } END { print n + 0 }') lost" "$lost lost"

# Many processes share rows.
# shellcheck disable=SC2016 # for another shell
echo 'for i in $(seq 10); do /bin/true; done' >loop
# shellcheck disable=SC2016 # for another shell
echo 'for i in $(seq 20); do sh loop; done' >loops
expect 0 "many processes" kmon-plot --ring 65536 -o many.svg sh loops
well_formed many.svg
has err '^kmon-plot: 242 processes, 0 failed, 0 lost, '
equal "$(bars many.svg) bars" "242 bars"
height=$(sed -n 's/^<svg .* height="\([0-9]*\)".*/\1/p' many.svg)
equal "$((height < 1200)) that they fit" "1 that they fit"
equal "$(($(wc -c <many.svg) < 242 * 500)) a few hundred bytes each" \
	"1 a few hundred bytes each"
equal "$(sed -n 's/.*<\/title>.*<rect x="\([0-9.]*\)" y="\([0-9.]*\)" width="\([0-9.]*\)".*/\2 \1 \3/p' \
	many.svg | sort -k1,1n -k2,2n |
	awk '$1 == row && $2 < end - 0.2 { n++ } { row = $1; end = $2 + $3 } END { print n + 0 }') overlap" \
	"0 overlap"

# Files that can't be written.
expect 1 "a full device" kmon-plot -q -f rec -o /dev/full
has err '^kmon-plot: -o /dev/full: No space left on device$'
expect 1 "a full standard output" bash -c 'kmon-plot -q -f rec >/dev/full'
has err '^kmon-plot: writing standard output: No space left on device$'
expect 1 "a closed standard output" bash -c 'kmon-plot -q -f rec >&-'
expect 1 "no such directory" kmon-plot -q -o no/a.svg touch ran
has err '^kmon-plot: -o no/a.svg: No such file or directory$'
equal "$(find . -name ran | wc -l) runs" "0 runs"
mkdir small
mount -t tmpfs -o size=16k none small
echo old >small/old.svg
expect 1 "a full disk" kmon-plot -q -o small/new.svg \
	sh -c 'dd if=/dev/zero of=small/fill bs=4k 2>/dev/null; exit 0'
has err '^kmon-plot: -o small/new.svg: No space left on device$'
expect 1 "a full disk and an old file" kmon-plot -q -f rec -o small/old.svg
equal "$(echo small/* && cat small/old.svg)" "small/fill small/old.svg
old"
rm small/fill
expect 0 "a file is replaced" kmon-plot -q -f rec -o small/old.svg
cmp -s small/old.svg a.svg
equal "by the picture: $?" "by the picture: 0"
ln -s a.svg link.svg
expect 0 "through a link" kmon-plot -q -f hostile.rec -o link.svg
cmp -s a.svg hostile.svg
equal "which stays: $? $(readlink link.svg)" "which stays: 0 a.svg"
equal "mode $(stat -c %a a.svg)" "mode 644"

# A user's tree, for a time.
sh -c 'while :; do /bin/true; sleep 0.05; done' &
looper=$!
expect 0 "a tree that goes on" kmon-plot -t $looper -D 0.5 -o tree.svg
well_formed tree.svg
has tree.svg '^still running</title>'
has tree.svg 'began before$|began before, '
set -m
kmon-plot -t $looper -o cut.svg 2>err &
pid=$!
set +m
# shellcheck disable=SC2317 # called by await
catches_int() { (($(sed -n 's/^SigCgt:[[:space:]]*/0x/p' "/proc/$1/status") & 2)) && grep -q kmon-plot "/proc/$1/comm"; }
await catches_int $pid
kill -INT $pid
ended "interrupted" 130
has err '^kmon-plot: [0-9]+ process.*, 0 lost, '
well_formed cut.svg
# Without its children.
expect 0 "a process" kmon-plot -p $looper -D 3 -o one.svg
equal "$(bars one.svg) bars" "1 bars"
kill $looper

finish
