# SPDX-License-Identifier: GPL-2.0-only
# Completes the options of kmon-tree, and after them a command and its arguments.

complete -c kmon-tree -x -a '(__fish_complete_subcommand -- -p --pid -t --root -c --cgroup -u --user \
    -o --output -w --record -f --from -D --duration --ring)'
complete -c kmon-tree -s a -l all -d 'Every process'
complete -c kmon-tree -s p -l pid -x -a '(__fish_complete_pids)' -d 'A process'
complete -c kmon-tree -s t -l root -x -a '(__fish_complete_pids)' -d 'A process and its descendants'
complete -c kmon-tree -s c -l cgroup -r -d 'A cgroup and those below'
complete -c kmon-tree -s u -l user -x -a '(__fish_complete_users)' -d 'A user'
complete -c kmon-tree -s f -l from -r -d 'From a recording'
complete -c kmon-tree -s w -l record -r -d 'Also the records as they came'
complete -c kmon-tree -s j -l json -d 'One JSON object a line'
complete -c kmon-tree -s o -l output -r -d 'Instead of standard output'
complete -c kmon-tree -s q -l quiet -d 'Nothing but the status'
complete -c kmon-tree -s D -l duration -x -d 'Stop after SECONDS'
complete -c kmon-tree -l read -d 'Take records by read'
complete -c kmon-tree -l mmap -d 'Take records by mmap'
complete -c kmon-tree -l uring -d 'Take records by io_uring'
complete -c kmon-tree -l ring -x -d 'Size of the ring in records'
complete -c kmon-tree -l fail-on-loss -d 'Status 3 if records were lost'
complete -c kmon-tree -s '?' -l help -d 'Show the options'
complete -c kmon-tree -l usage -d 'Show a short usage message'
complete -c kmon-tree -s V -l version -d 'Show the version'
