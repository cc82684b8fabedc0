# SPDX-License-Identifier: GPL-2.0-only
# Completes the options of kmon-tail, and after them a command and its arguments.

function __kmon_tail_events
    set -l before (commandline -ct | string match -rg '^(?:-[^-]*e|--events=)?(.*,)?')
    printf "$before[1]%s\n" abort comm coredump cred exec exec-failed exit fork ptrace sid \
        thread thread-abort thread-exit
end

complete -c kmon-tail -x -a '(__fish_complete_subcommand -- -p --pid -t --root -c --cgroup -u --user \
    --unit --container -e --events -g --grep -P --parent -F --format -o --output -w --record \
    -f --from --metrics -n --count -D --duration --ring)'
complete -c kmon-tail -s a -l all -d 'Every process'
complete -c kmon-tail -s p -l pid -x -a '(__fish_complete_pids)' -d 'A process'
complete -c kmon-tail -s t -l root -x -a '(__fish_complete_pids)' -d 'A process and its descendants'
complete -c kmon-tail -s c -l cgroup -r -d 'A cgroup and those below'
complete -c kmon-tail -s u -l user -x -a '(__fish_complete_users)' -d 'A user'
complete -c kmon-tail -l unit -x -d 'The cgroup of a systemd unit'
complete -c kmon-tail -l container -x -d 'The cgroup of a container'
complete -c kmon-tail -s e -l events -x -a '(__kmon_tail_events)' -d 'Kinds of records'
complete -c kmon-tail -s x -l failed -d 'Failures only'
complete -c kmon-tail -s g -l grep -x -d 'Records whose name or arguments match'
complete -c kmon-tail -s P -l parent -x -a '(__fish_complete_pids)' -d 'Records of that parent'
complete -c kmon-tail -s H -l threads -d 'Threads, too'
complete -c kmon-tail -s A -l exec-args -d 'Path and arguments of each exec'
complete -c kmon-tail -s i -l tree -d 'Indent each record by its depth'
complete -c kmon-tail -l snapshot -d 'The processes that exist, first'
complete -c kmon-tail -s r -l relative -d 'Time since the start'
complete -c kmon-tail -s F -l format -x -d 'Fields of each line'
complete -c kmon-tail -s j -l json -d 'One JSON object a line'
complete -c kmon-tail -s o -l output -r -d 'Instead of standard output'
complete -c kmon-tail -s w -l record -r -d 'Also the records as they came'
complete -c kmon-tail -s f -l from -r -d 'From a recording'
complete -c kmon-tail -s l -l line-buffered -d 'Each line at once'
complete -c kmon-tail -s q -l quiet -d 'No records or totals'
complete -c kmon-tail -s S -l stats -d 'A summary at the end'
complete -c kmon-tail -l metrics -r -d 'Counters as a Prometheus text file'
complete -c kmon-tail -s n -l count -x -d 'Stop after COUNT records'
complete -c kmon-tail -s D -l duration -x -d 'Stop after SECONDS'
complete -c kmon-tail -l read -d 'Take records by read'
complete -c kmon-tail -l mmap -d 'Take records by mmap'
complete -c kmon-tail -l uring -d 'Take records by io_uring'
complete -c kmon-tail -l ring -x -d 'Size of the ring in records'
complete -c kmon-tail -l fail-on-loss -d 'Status 3 if records were lost'
complete -c kmon-tail -s '?' -l help -d 'Show the options'
complete -c kmon-tail -l usage -d 'Show a short usage message'
complete -c kmon-tail -s V -l version -d 'Show the version'
