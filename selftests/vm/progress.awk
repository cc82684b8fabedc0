# SPDX-License-Identifier: GPL-2.0-only
# Turns a kernel build's output into progress. expect is the number of compiled files that a whole
# build takes, 0 when this is no whole build; present is how many of them an interrupted build
# left behind; tty is 1 on a terminal. profile names a file with a line "files seconds"
# now and then of an earlier build of the same flavour, if there was one; the file that measure
# names gets these lines of this build.

# Seconds into the earlier build when so many files were compiled. Without an earlier build, files
# take the same time each: a second.
function reference(files,    i)
{
	if (!points)
		return files
	for (i = 1; i < points && files > at[i]; i++)
		;
	if (files >= at[i])
		return took[i]
	return took[i - 1] + (took[i] - took[i - 1]) * (files - at[i - 1]) / (at[i] - at[i - 1])
}

# How many times longer than the earlier build the last minute took; 0 when too little of it has
# gone by to say so. Host tools and generated headers at the start are no measure of the rest.
function slowness(    i, seconds, passed)
{
	for (i = oldest; i < samples && now - when[i] > 60; i++)
		;
	oldest = i
	seconds = now - when[i]
	passed = reference(compiled) - reference(done[i])
	if (seconds < 20 || compiled - done[i] < 10 || passed <= 0)
		return 0
	return seconds / passed
}

function estimate(    ratio, seconds)
{
	ratio = slowness()
	if (!ratio)
		return ""
	seconds = ratio * (reference(expect) - reference(compiled))
	# Exact is what this is not.
	if (seconds < 60)
		return ", less than a minute left"
	return sprintf(", about %d min left", seconds / 60 + 0.5)
}

function show(    percent)
{
	if (!expect) {
		if (tty)
			printf "\rkmonitor: %d files compiled ", compiled
		return
	}
	percent = int(reference(compiled) * 100 / reference(expect))
	if (percent > 99)
		percent = 99
	if (tty)
		printf "\rkmonitor: %2d%%%-28s", percent, estimate()
	else if (percent >= shown + 10) {
		printf "kmonitor: %2d%%%s\n", percent, estimate()
		shown = percent - percent % 10
	}
	fflush()
}

# One sample a second is plenty.
function remember()
{
	when[samples] = now
	done[samples] = compiled
	samples++
	if (measure)
		print compiled, now - begin >measure
}

BEGIN {
	begin = last = now = systime()
	at[0] = took[0] = points = 0
	while (profile && (getline line <profile) > 0) {
		split(line, word)
		if (word[1] <= at[points])
			took[points] = word[2]
		else {
			at[++points] = word[1]
			took[points] = word[2]
		}
	}
	if (points)
		expect = expect ? at[points] : 0
	compiled = present
	samples = oldest = 0
	remember()
}

{ now = systime() }

/^  (CC|AS) / {
	compiled++
	if (now != last)
		remember()
	if (now != last || !tty)
		show()
	last = now
}

END {
	now = systime()
	remember()
	if (tty)
		printf "\r%44s\r", ""
	printf "kmonitor: %d files compiled in %d:%02d\n", compiled - present,
	       (now - begin) / 60, (now - begin) % 60
}
