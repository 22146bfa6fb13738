/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binary/symbol_names.h"

#include <errno.h>
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define MANGLED_MAX   16384 /* the demanglers recurse over the name */
#define READABLE_MAX  16384
#define D_MANGLED_MAX 4096
#define D_REFERENCES  24

/* --- demangling --- */

/*
 * Demangling of names that the traced program chose. Back references in a name of 200 bytes can unfold to gigabytes,
 * and libiberty has no limit: so it writes piecewise into a bounded buffer here and is left by longjmp when that is
 * full. It holds no lock then, and at most the few bytes of a Rust punycode identifier. Its D part cannot write
 * piecewise; there the number of back references is limited instead.
 */
struct bounded {
	jmp_buf full;
	size_t length;
	char text[READABLE_MAX];
};

static void append(const char *piece, size_t size, void *arg)
{
	struct bounded *bounded = arg;

	if (size >= READABLE_MAX - bounded->length)
		longjmp(bounded->full, 1);
	memcpy(bounded->text + bounded->length, piece, size);
	bounded->length += size;
}

static char *demangle_bounded(const char *mangled)
{
	const int options = DMGL_PARAMS | DMGL_ANSI;
	struct bounded bounded = {.length = 0};

	if (setjmp(bounded.full))
		return NULL;
	if (!rust_demangle_callback(mangled, options, append, &bounded)) {
		bounded.length = 0; /* it may have begun before it saw that this is not Rust */
		if (!cplus_demangle_v3_callback(mangled, options, append, &bounded))
			return NULL;
	}
	return strndup(bounded.text, bounded.length);
}

static char *demangle_d(const char *mangled, size_t length)
{
	unsigned int references = 0;

	for (const char *at = mangled; (at = strchr(at, 'Q')); at++)
		references++;
	return length > D_MANGLED_MAX || references > D_REFERENCES ? NULL : cplus_demangle(mangled, DMGL_DLANG);
}

char *symbol_names_demangle(const char *mangled)
{
	size_t length = strnlen(mangled, MANGLED_MAX + 1);

	if (mangled[0] != '_' || length > MANGLED_MAX)
		return NULL;
	return mangled[1] == 'D' ? demangle_d(mangled, length) : demangle_bounded(mangled);
}

/* Dots stand inside Rust's names too, but those end with an E. */
char *symbol_names_base(const char *mangled)
{
	static const char suffix[] = "abcdefghijklmnopqrstuvwxyz0123456789_.";
	const char *end = mangled + strlen(mangled), *start = end, *dot;

	while (start > mangled && strchr(suffix, start[-1]))
		start--;
	dot = memchr(start, '.', (size_t)(end - start));
	return strndup(mangled, (size_t)((dot ? dot : end) - mangled));
}

/* --- the table --- */

struct name {
	char *readable; /* NULL: the same, or not asked for yet */
	bool asked;
	UT_hash_handle hh;
	char text[];
};

static void name_free(struct name *name)
{
	free(name->readable);
	free(name);
}

void symbol_names_release(struct symbol_names *table)
{
	hash_release(table->names, name_free);
}

/* NULL: no memory. */
static struct name *name_get(struct symbol_names *table, const char *text)
{
	size_t length = strlen(text);
	struct name *name;

	HASH_FIND(hh, table->names, text, length, name);
	if (name)
		return name;
	name = calloc(1, sizeof(*name) + length + 1);
	if (!name)
		return NULL;
	memcpy(name->text, text, length + 1);
	HASH_ADD(hh, table->names, text, length, name);
	return hash_kept(&name->hh, name);
}

int symbol_names_function(struct symbol_names *table, const char *mangled, const char **ret_name,
			  const char **ret_readable)
{
	struct name *name = name_get(table, mangled);

	if (!name)
		return -ENOMEM;
	if (!name->asked)
		name->readable = symbol_names_demangle(mangled);
	name->asked = true;
	*ret_name = name->text;
	*ret_readable = name->readable ? name->readable : name->text;
	return 0;
}

int symbol_names_keep(struct symbol_names *table, const char *text, const char **ret_text)
{
	const struct name *name = text ? name_get(table, text) : NULL;

	if (text && !name)
		return -ENOMEM;
	*ret_text = name ? name->text : NULL;
	return 0;
}
