# SPDX-License-Identifier: GPL-2.0-only
# Completes the options and process ids of kmon-wait.

complete -c kmon-wait -f -a '(__fish_complete_pids)'
complete -c kmon-wait -s 1 -l any -d 'The first end is enough'
complete -c kmon-wait -l fail-on-loss -d 'Status 3 if records were lost'
complete -c kmon-wait -s j -l json -d 'One JSON object for each end'
complete -c kmon-wait -s N -l name -x -a '(__fish_complete_proc)' -d 'Processes of that name'
complete -c kmon-wait -s q -l quiet -d 'Errors only'
complete -c kmon-wait -s T -l timeout -x -d 'Give up after SECONDS'
complete -c kmon-wait -s t -l root -x -a '(__fish_complete_pids)' -d 'A process and its descendants'
complete -c kmon-wait -s v -l verbose -d 'The status of each'
complete -c kmon-wait -s '?' -l help -d 'Show the options'
complete -c kmon-wait -l usage -d 'Show a short usage message'
complete -c kmon-wait -s V -l version -d 'Show the version'
