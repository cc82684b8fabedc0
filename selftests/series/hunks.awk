# SPDX-License-Identifier: GPL-2.0-only
# gawk -v wanted=N -f hunks.awk REGEXES PATCH: prints those hunks of a patch that belong to change
# N. Line N of REGEXES matches the lines that change N adds or removes; a hunk belongs to the
# first change that matches one of its lines, one that only includes the header to the first
# change of its file.

FNR == NR {
	regex[++nr_changes] = $0
	next
}

/^--- / { header[++nr_files] = $0; next }
/^\+\+\+ / { header[nr_files] = header[nr_files] "\n" $0; next }
/^@@ / { file[++nr] = nr_files }
{ text[nr] = text[nr] $0 "\n" }
/^[-+]/ && !/^\+#include <linux\/kmonitor\.h>$/ { changed[nr] = changed[nr] $0 "\n" }

function owner_of(lines,  i, l, line)
{
	split(lines, line, "\n")
	for (i = 1; i <= nr_changes; i++) {
		if (regex[i] == "")
			continue
		for (l in line)
			if (line[l] ~ regex[i])
				return i
	}
	return 0
}

END {
	for (h = 1; h <= nr; h++) {
		if (changed[h] == "")
			continue
		owner[h] = owner_of(changed[h])
		if (!owner[h]) {
			print "no change owns this hunk:\n" header[file[h]] "\n" text[h] > "/dev/stderr"
			exit 1
		}
		if (!first[file[h]] || owner[h] < first[file[h]])
			first[file[h]] = owner[h]
	}
	for (h = 1; h <= nr; h++) {
		if (changed[h] == "")
			owner[h] = first[file[h]]
		if (!owner[h]) {
			print "no change needs the header:\n" header[file[h]] > "/dev/stderr"
			exit 1
		}
		if (owner[h] != wanted)
			continue
		if (file[h] != printed)
			print header[printed = file[h]]
		printf "%s", text[h]
	}
}
