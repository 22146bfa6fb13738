#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Make the template of the page: page.html with its style and its script inside, and with their hashes in its policy, so that no
# other script and no other style has an effect.
#
#   bundle.sh OUT page.html page.css MODULE.js...
#
# The modules become one script: in the order given, without their imports and exports, so no two may have a name in common.
set -eu
out=$1 html=$2 css=$3
shift 3

hash_of() { # FILE
	sha256sum "$1" | cut -c 1-64 | tr a-f A-F | basenc -d --base16 | base64
}

trap 'rm -f "$out.js" "$out.css"' EXIT
{
	printf '(() => {\n"use strict";\n'
	sed -e '/^import /d' -e '/^\/\/ SPDX/d' -e 's/^export //' "$@"
	printf '})();\n'
} >"$out.js"
sed '/SPDX/d' "$css" >"$out.css"
# An end tag, or a comment's beginning, would end or hide the script.
if grep -n -i -e '</script' -e '<!--' "$out.js"; then
	echo 'bundle.sh: this must not stand in a script' >&2
	exit 1
fi
awk -v script="$out.js" -v style="$out.css" -v script_hash="$(hash_of "$out.js")" -v style_hash="$(hash_of "$out.css")" '
	function paste(before, file, after, line) {
		printf "%s", before
		while ((getline line < file) > 0)
			print line
		print after
	}
	/@SCRIPT_HASH@/ { sub(/@SCRIPT_HASH@/, script_hash); sub(/@STYLE_HASH@/, style_hash) }
	/@SCRIPT@/ { paste("<script>", script, "</script>"); next }
	/@STYLE@/ { paste("<style>", style, "</style>"); next }
	{ print }' "$html" >"$out"
