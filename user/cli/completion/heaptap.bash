# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Below the tables that tables.c prints: completes the verbs, options, arguments of options and operands of heaptap.
# shellcheck disable=SC2154,SC2034,SC2207 # the tables are above; bash itself reads COMPREPLY; no word has a blank

# The words that begin with $cur, in a list with commas with its last item. One that goes on gets no blank behind it.
_heaptap_words() { # WORD...
	local head='' breaks=${COMP_WORDBREAKS//[^=:]/}
	[[ $listed && $cur == *,* ]] && head=${cur%,*},
	COMPREPLY=($(compgen -P "$head" -W "$*" -- "${cur#"$head"}"))
	[[ ${#COMPREPLY[@]} = 1 && ${COMPREPLY[0]} == *[=:/] ]] && compopt -o nospace 2>/dev/null
	# Readline takes what stands behind the last of its breaks for the word.
	[[ $breaks ]] && head=${cur%"${cur##*[$breaks]}"} && COMPREPLY=("${COMPREPLY[@]#"$head"}")
}

# Threads of the kernel have no command line, and no heap. A name that a shell would take apart is left out.
_heaptap_processes() { # pid|name
	local process comm words=()
	for process in /proc/[0-9]*; do
		{ read -r -n 1 -d '' comm <"$process/cmdline" && read -r comm <"$process/comm"; } 2>/dev/null || continue
		[[ $comm == *[^[:alnum:]_.+-]* ]] || words+=("$comm")
		[[ $1 = name ]] || words+=("${process#/proc/}")
	done
	_heaptap_words "${words[*]}"
}

_heaptap_files() { # -f|-d
	compopt -o filenames 2>/dev/null
	local IFS=$'\n'
	COMPREPLY=($(compgen "$1" -- "$cur"))
}

# Where the hierarchy of version 2 is mounted: the whole of it rather than a part, as --cgroup looks for it.
_heaptap_cgroup_top() {
	local part point rest top=''
	while IFS=' ' read -r _ _ _ part point rest; do
		[[ $rest == *' - cgroup2 '* && (-z $top || $part = /) ]] || continue
		printf -v top %b "${point//\\/\\0}" # the kernel writes blanks as \040
		[[ $part != / ]] || break
	done </proc/self/mountinfo
	[[ $top ]] && echo "$top"
}

# Below that, as --cgroup takes it.
_heaptap_cgroups() {
	local top IFS=$'\n'
	top=$(_heaptap_cgroup_top) || return
	compopt -o filenames -o nospace 2>/dev/null
	COMPREPLY=($(cd "$top" 2>/dev/null && compgen -d -S / -- "$cur"))
}

_heaptap_of_kind() { # KIND
	case $1 in
	=*) _heaptap_words "${1#=}" ;;
	,*) listed=1 && _heaptap_words "${1#,}" ;;
	process) listed=1 && _heaptap_processes pid ;;
	name) _heaptap_processes name ;;
	directory) _heaptap_files -d ;;
	file) _heaptap_files -f ;;
	cgroup) _heaptap_cgroups ;;
	verb) _heaptap_words "${_heaptap_verbs#help }" ;;
	esac
}

# The command line up to the cursor, as it was typed: readline breaks words at = and : too. Fills `words`.
_heaptap_split() {
	local line=${COMP_LINE:0:COMP_POINT}
	read -r -a words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=('')
}

# COMMAND and its own arguments, by their own rules where there are such.
_heaptap_command() { # the place of COMMAND
	if declare -F _command_offset >/dev/null; then
		_command_offset "$1"
	elif ((COMP_CWORD == $1)); then
		COMPREPLY=($(compgen -c -- "$cur"))
	else
		_heaptap_files -f
	fi
}

_heaptap() {
	local words=() verb='' listed='' cur option at
	COMPREPLY=()
	_heaptap_split
	((${#words[@]} > 1)) || return
	((${#words[@]} > 2)) && verb=${words[1]}
	for ((at = 1; at < COMP_CWORD; at++)); do
		[[ ${COMP_WORDS[at]} = -- && ${_heaptap_options["verb $verb"]-} == *' --' ]] || continue
		cur=${COMP_WORDS[COMP_CWORD]}
		_heaptap_command $((at + 1))
		return
	done
	cur=${words[-1]}
	if [[ $cur == --*=* ]]; then
		option=${cur%%=*} cur=${cur#*=}
	else
		option=${words[-2]}
	fi
	if [[ ${_heaptap_arguments["$verb $option"]+set} ]]; then
		_heaptap_of_kind "${_heaptap_arguments["$verb $option"]}"
	elif [[ $cur == -* ]]; then
		_heaptap_words "${_heaptap_options["verb $verb"]-}"
	elif [[ ! $verb ]]; then
		_heaptap_words "$_heaptap_verbs"
	elif [[ ${_heaptap_operands["$verb"]+set} ]]; then
		_heaptap_of_kind "${_heaptap_operands["$verb"]}"
	fi
}

complete -F _heaptap heaptap
