/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/custom_allocator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf.h"
#include "binary/elf_dynamic.h"
#include "probe/site.h"

enum word {
	WORD_COUNT,
	WORD_PTR,
	WORD_SIZE,
	WORD_MAX
};

/* "size=2": a word and its number. Moves *text to the comma or the bracket. */
static int parse_argument(char **text, u8 arguments[WORD_MAX])
{
	static const char *const words[WORD_MAX] = {"count=", "ptr=", "size="};
	char *at = *text;
	int word = 0;

	while (word < WORD_MAX && strncmp(at, words[word], strlen(words[word])) != 0)
		word++;
	if (word == WORD_MAX || arguments[word])
		return -EINVAL;
	at += strlen(words[word]);
	if (*at < '1' || *at > '0' + SITE_ARGS_MAX || (at[1] != ',' && at[1] != ')'))
		return -EINVAL;
	arguments[word] = (u8)(*at - '0');
	*text = at + 1;
	return 0;
}

/* The kind of a function follows from its arguments and from whether it returns memory. */
static int fill(struct allocator_function *function, const u8 arguments[WORD_MAX], bool returns)
{
	u8 count = arguments[WORD_COUNT], ptr = arguments[WORD_PTR], size = arguments[WORD_SIZE];

	if (returns != !!size || (count && (!size || ptr)) || (!size && !ptr))
		return -EINVAL;
	function->kind = count ? CALL_CALLOC : !size ? CALL_FREE : ptr ? CALL_RESIZE : CALL_MALLOC;
	function->arg[0] = count ? count : ptr ? ptr : size;
	function->arg[1] = size && (count || ptr) ? size : 0;
	return 0;
}

/* "name(argument,...)" with "=ret" or without. Moves *text behind it. */
static int parse_function(char **text, struct allocator_function *ret_function)
{
	char *at = strchr(*text, '(');
	u8 arguments[WORD_MAX] = {0};
	bool returns;
	int err;

	if (!at || at == *text)
		return -EINVAL;
	ret_function->symbol = *text;
	do {
		*at++ = '\0';
		err = parse_argument(&at, arguments);
		if (err)
			return err;
	} while (*at == ',');
	at++;
	returns = !strncmp(at, "=ret", 4);
	*text = at + (returns ? 4 : 0);
	return fill(ret_function, arguments, returns);
}

static int parse(struct custom_allocator *pool)
{
	char *bracket = strchr(pool->text, '('), *at;
	int err = 0;

	pool->file = pool->text;
	at = bracket ? memrchr(pool->text, ':', (size_t)(bracket - pool->text)) : NULL;
	if (!bracket)
		return *pool->text && !strchr(pool->text, ':') ? 0 : -EINVAL;
	if (!at || at == pool->text)
		return -EINVAL;
	*at++ = '\0';
	for (; !err; at++) {
		if (pool->family.function_count == CUSTOM_FUNCTIONS_MAX)
			return -E2BIG;
		err = parse_function(&at, &pool->functions[pool->family.function_count++]);
		if (err || !*at)
			return err;
		if (*at != ',')
			return -EINVAL;
	}
	return err;
}

int custom_allocator_parse(const char *text, struct custom_allocator **ret_pool)
{
	struct custom_allocator *pool = calloc(1, sizeof(*pool));
	int err;

	if (!pool)
		return -ENOMEM;
	pool->text = strdup(text);
	err = pool->text ? parse(pool) : -ENOMEM;
	if (err) {
		custom_allocator_free(pool);
		return err;
	}
	pool->family.name = "--alloc";
	pool->family.prefix = "";
	pool->family.functions = pool->functions;
	pool->real_path = strchr(pool->file, '/') ? realpath(pool->file, NULL) : NULL;
	*ret_pool = pool;
	return 0;
}

void custom_allocator_free(struct custom_allocator *pools)
{
	struct custom_allocator *next;

	for (; pools; pools = next) {
		next = pools->next;
		free(pools->text);
		free(pools->real_path);
		free(pools);
	}
}

bool custom_allocator_is_in(const struct custom_allocator *pool, const struct elf *elf,
			    const struct elf_dynamic *dynamic)
{
	const char *path = elf_path(elf), *name = strrchr(path, '/');
	const char *soname = dynamic ? elf_dynamic_soname(dynamic) : NULL;

	if (strchr(pool->file, '/') || !name)
		return !strcmp(path, pool->file) || (pool->real_path && !strcmp(path, pool->real_path));
	return !strcmp(name + 1, pool->file) || (soname && !strcmp(soname, pool->file));
}
