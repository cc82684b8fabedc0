# SPDX-License-Identifier: GPL-2.0-only
# gawk -v file=NAME -f strip.awk RULES SOURCE: prints a source file without what the rules say
# about it. A rule is FILE VERB ARGUMENT:
#
#   function NAME     the definition of a function, with its comment, and its declarations
#   struct NAME       the definition of a structure or union, with its comment
#   lines N REGEX     each line that matches, and N - 1 after it
#   paragraph REGEX   each line that matches, with those around it up to blank ones
#   replace REGEX => TEXT
#
# A rule that finds nothing fails: the source has changed, and the rule must follow.

function fault(text)
{
	print FILENAME ": " text > "/dev/stderr"
	failed = 1
}

# Marks lines from..to for deletion, and one blank line next to them.
function cut(from, to,  i)
{
	for (i = from; i <= to; i++)
		gone[i] = 1
	if (line[from - 1] ~ /^$/ && line[to + 1] ~ /^$/)
		gone[to == nr ? from - 1 : to + 1] = 1
}

function paragraph_start(i)
{
	while (i > 1 && line[i - 1] !~ /^$/ && line[i - 1] !~ /^(#|}|\*\/)/)
		i--
	return i
}

function find_end(i, regex)
{
	while (i <= nr && line[i] !~ regex)
		i++
	return i
}

function cut_function(name,  i, start, end, found)
{
	for (i = 1; i <= nr; i++) {
		if (gone[i] || line[i] !~ ("^[a-zA-Z].*\\<" name "\\(") && line[i] !~ ("^" name "\\("))
			continue
		end = find_end(i, "[;{]$")
		found++
		if (line[end] ~ /;$/) {
			start = i
			if (line[i] ~ ("^" name) || line[i - 1] ~ /^[a-z].*[a-z_*]$/ && line[i - 1] !~ /;/)
				start = i - 1
			cut(start, end)
		} else {
			cut(paragraph_start(i), find_end(end, "^}"))
		}
	}
	if (!found)
		fault("no function " name " in " file)
}

function cut_struct(name,  i, found)
{
	for (i = 1; i <= nr; i++) {
		if (line[i] == name " {") {
			found++
			cut(paragraph_start(i), find_end(i, "^}"))
		}
	}
	if (!found)
		fault("no " name " in " file)
}

function cut_lines(count, regex,  i, found)
{
	for (i = 1; i <= nr; i++) {
		if (!gone[i] && line[i] ~ regex) {
			found++
			cut(i, i + count - 1)
		}
	}
	if (!found)
		fault("no line /" regex "/ in " file)
}

function cut_paragraph(regex,  i, found)
{
	for (i = 1; i <= nr; i++) {
		if (!gone[i] && line[i] ~ regex) {
			found++
			cut(paragraph_start(i), find_end(i, "^$") - 1)
		}
	}
	if (!found)
		fault("no line /" regex "/ in " file)
}

# TEXT is taken as it is, but for \t.
function replace(regex, text,  i, found)
{
	gsub(/\\t/, "\t", text)
	for (i = 1; i <= nr; i++) {
		if (!gone[i] && match(line[i], regex)) {
			found++
			line[i] = substr(line[i], 1, RSTART - 1) text substr(line[i], RSTART + RLENGTH)
		}
	}
	if (!found)
		fault("no /" regex "/ in " file)
}

FNR == NR {
	if ($1 == file)
		rules[++nr_rules] = $0
	next
}

{ line[++nr] = $0 }

END {
	for (r = 1; r <= nr_rules; r++) {
		split(rules[r], word, " ")
		rest = rules[r]
		sub(/^[^ ]+ [^ ]+ /, "", rest)
		if (word[2] == "function") {
			cut_function(rest)
		} else if (word[2] == "struct") {
			cut_struct("struct " rest)
		} else if (word[2] == "lines") {
			sub(/^[0-9]+ /, "", rest)
			cut_lines(word[3], rest)
		} else if (word[2] == "paragraph") {
			cut_paragraph(rest)
		} else if (word[2] == "replace") {
			split(rest, side, " => ")
			replace(side[1], side[2])
		} else {
			fault("no verb: " rules[r])
		}
	}
	for (i = 1; i <= nr; i++)
		if (!gone[i])
			print line[i]
	exit failed
}
