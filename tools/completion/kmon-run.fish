# SPDX-License-Identifier: GPL-2.0-only
# Completes the options of kmon-run, and after them a command and its arguments.

complete -c kmon-run -x -a '(__fish_complete_subcommand -- -T --timeout -s --signal -k --kill-after)'
complete -c kmon-run -s T -l timeout -x -d 'End the command after SECONDS'
complete -c kmon-run -s s -l signal -x -a '(kill -l | string split -n " ")' -d 'What to send at the timeout'
complete -c kmon-run -s k -l kill-after -x -d 'Kill what is left SECONDS after a signal'
complete -c kmon-run -s j -l json -d 'The totals as one JSON object'
complete -c kmon-run -s q -l quiet -d 'No totals'
complete -c kmon-run -s '?' -l help -d 'Show the options'
complete -c kmon-run -l usage -d 'Show a short usage message'
complete -c kmon-run -s V -l version -d 'Show the version'
