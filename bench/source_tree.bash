# SPDX-License-Identifier: GPL-2.0-or-later
#
# What make and gcc build in the scripts of bench/, to be sourced.
# shellcheck shell=bash

source_tree() { # DIRECTORY FILES
	local file
	mkdir "$1"
	for ((file = 0; file < $2; file++)); do
		printf '#include <stdio.h>\n#include <stdlib.h>\nint f%d(int n) { char *p = malloc(n); return p ? printf("%%p", p) : %d; }\n' \
			"$file" "$file" >"$1/$file.c"
	done
	# shellcheck disable=SC2016
	printf 'all: $(patsubst %%.c,%%.o,$(wildcard *.c))\n%%.o: %%.c ; gcc -O2 -c $< -o $@\n' >"$1/Makefile"
}
