# SPDX-License-Identifier: GPL-2.0-only
# Turns a kernel build's output into progress: expect is the number of steps of a whole
# build, 0 when unknown; tty is 1 on a terminal.

function left(done, seconds)
{
	seconds = (systime() - begin) * (expect - done) / done
	return sprintf("about %d:%02d left", seconds / 60, seconds % 60)
}

function show(percent)
{
	if (!expect) {
		if (tty)
			printf "\rkmonitor: %d steps done ", steps
		return
	}
	percent = int(steps * 100 / expect)
	if (percent > 99)
		percent = 99
	if (tty)
		printf "\rkmonitor: %2d%%, %s   ", percent, left(steps)
	else if (percent >= shown + 10) {
		printf "kmonitor: %2d%%, %s\n", percent, left(steps)
		shown = percent - percent % 10
	}
	fflush()
}

BEGIN { begin = systime() }

/^  [A-Z]/ {
	steps++
	if (!tty || systime() != last)
		show()
	last = systime()
}

END {
	if (tty)
		printf "\r%40s\r", ""
	seconds = systime() - begin
	printf "kmonitor: %d steps in %d:%02d\n", steps, seconds / 60, seconds % 60
	if (count)
		print steps >count
}
