# SPDX-License-Identifier: GPL-2.0-only
# Completes the options of kmon-plot, and after them a command and its arguments.

complete -c kmon-plot -x -a '(__fish_complete_subcommand -- -p --pid -t --root -c --cgroup -u --user \
    -o --output -w --record -f --from -D --duration --ring)'
complete -c kmon-plot -s a -l all -d 'Every process'
complete -c kmon-plot -s p -l pid -x -a '(__fish_complete_pids)' -d 'A process'
complete -c kmon-plot -s t -l root -x -a '(__fish_complete_pids)' -d 'A process and its descendants'
complete -c kmon-plot -s c -l cgroup -r -d 'A cgroup and those below'
complete -c kmon-plot -s u -l user -x -a '(__fish_complete_users)' -d 'A user'
complete -c kmon-plot -s f -l from -r -d 'From a recording'
complete -c kmon-plot -s o -l output -r -d 'Instead of standard output'
complete -c kmon-plot -s w -l record -r -d 'Also the records as they came'
complete -c kmon-plot -s q -l quiet -d 'No totals'
complete -c kmon-plot -s D -l duration -x -d 'Stop after SECONDS'
complete -c kmon-plot -l read -d 'Take records by read'
complete -c kmon-plot -l mmap -d 'Take records by mmap'
complete -c kmon-plot -l uring -d 'Take records by io_uring'
complete -c kmon-plot -l ring -x -d 'Size of the ring in records'
complete -c kmon-plot -l fail-on-loss -d 'Status 3 if records were lost'
complete -c kmon-plot -s '?' -l help -d 'Show the options'
complete -c kmon-plot -l usage -d 'Show a short usage message'
complete -c kmon-plot -s V -l version -d 'Show the version'
