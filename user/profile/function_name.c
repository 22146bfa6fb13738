/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/function_name.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

/* Bytes of a namespace at `name` that is a library's version, "__1::" or "__cxx11::"; 0: it is none. */
static size_t version_length(const char *name)
{
	size_t letters, digits;

	if (strncmp(name, "__", 2) != 0)
		return 0;
	letters = strspn(name + 2, "abcdefghijklmnopqrstuvwxyz");
	digits = strspn(name + 2 + letters, "0123456789");
	return digits && !strncmp(name + 2 + letters + digits, "::", 2) ? 2 + letters + digits + 2 : 0;
}

bool function_name_begins(const char *own, const char *beginning)
{
	bool word = true; /* at the beginning of one: only there a version stands */

	for (; *beginning; own++, beginning++) {
		own += word ? version_length(own) : 0;
		if (*own != *beginning)
			return false;
		word = !isalnum((unsigned char)*own) && *own != '_';
	}
	return true;
}

/* Is the space there that of "operator new"? */
static bool is_operator(const char *name, const char *space)
{
	return space - name >= 8 && !strncmp(space - 8, "operator", 8);
}

/* A return type ends in a space outside all brackets. The parameters come after the name. */
const char *function_name_own(const char *name)
{
	static const char anonymous[] = "(anonymous namespace)";
	const char *own = name;
	int depth = 0;

	for (const char *at = name; *at; at++) {
		if (!strncmp(at, anonymous, sizeof(anonymous) - 1))
			at += sizeof(anonymous) - 2;
		else if (*at == '(' && !depth)
			break;
		else if (*at == '<' || *at == '(')
			depth++;
		else if ((*at == '>' || *at == ')') && depth)
			depth--;
		else if (*at == ' ' && !depth && !is_operator(name, at))
			own = at + 1;
	}
	return own;
}
