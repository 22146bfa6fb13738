/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/page_tree.h"

#include <errno.h>
#include <stdlib.h>

void page_tree_write_measures(const char *name, const u64 values[MEASURE_MAX], struct json *json)
{
	json_array(json, name);
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		json_u64(json, NULL, values[m]);
	json_close(json);
}

void page_tree_write_values(const char *name, u64 (*values)[MEASURE_MAX], u32 count, struct json *json)
{
	json_array(json, name);
	for (u32 i = 0; i < count; i++)
		page_tree_write_measures(NULL, values[i], json);
	json_close(json);
}

/* All gathered nodes are one function: how many children they stand for is in a column of its own. */
static int write_functions(const struct call_tree *tree, struct page_functions *functions, struct json *json)
{
	int err = 0;

	json_array(json, "function");
	for (u32 i = 0; !err && i < tree->count; i++) {
		const struct call_tree_node *node = &tree->nodes[i];
		struct page_function function = {node->gathered ? "(smaller)" : node->name, node->file, node->role};
		u32 number;

		err = page_functions_number(functions, &function, &number);
		if (!err)
			json_u64(json, NULL, number);
	}
	json_close(json);
	return err;
}

static void write_column(const struct call_tree *tree, const char *name, u32 (*of)(const struct call_tree_node *node),
			 struct json *json)
{
	json_array(json, name);
	for (u32 i = 0; i < tree->count; i++)
		json_u64(json, NULL, of(&tree->nodes[i]));
	json_close(json);
}

static u32 line_of(const struct call_tree_node *node)
{
	return node->line;
}

static u32 parent_of(const struct call_tree_node *node)
{
	return node->parent;
}

static u32 gathered_of(const struct call_tree_node *node)
{
	return node->gathered;
}

static void write_self(const struct call_tree *tree, struct json *json)
{
	json_array(json, "self");
	for (u32 i = 0; i < tree->count; i++)
		page_tree_write_measures(NULL, tree->nodes[i].self, json);
	json_close(json);
}

/* Six digits, and most are 0. */
static void write_variances(const struct call_tree *tree, struct json *json)
{
	json_array(json, "variance");
	for (u32 i = 0; i < tree->count; i++) {
		json_array(json, NULL);
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			json_double(json, NULL, tree->nodes[i].self_variance[m]);
		json_close(json);
	}
	json_close(json);
}

struct samples {
	u64 alloc, inuse;
};

static int write_samples(const struct call_tree *tree, struct json *json)
{
	struct samples *self = calloc(tree->count, sizeof(*self));

	if (!self)
		return -ENOMEM;
	json_array(json, "samples");
	for (u32 i = tree->count; i-- > 0;) {
		const struct call_tree_node *node = &tree->nodes[i];

		self[i].alloc += node->alloc_samples;
		self[i].inuse += node->inuse_samples;
		if (i) {
			self[node->parent].alloc -= node->alloc_samples;
			self[node->parent].inuse -= node->inuse_samples;
		}
	}
	for (u32 i = 0; i < tree->count; i++) {
		json_array(json, NULL);
		json_u64(json, NULL, self[i].alloc);
		json_u64(json, NULL, self[i].inuse);
		json_close(json);
	}
	json_close(json);
	free(self);
	return 0;
}

int page_tree_write(const struct call_tree *tree, struct page_functions *functions, struct json *json)
{
	int err = write_functions(tree, functions, json);

	write_column(tree, "line", line_of, json);
	write_column(tree, "parent", parent_of, json);
	write_column(tree, "gathered", gathered_of, json);
	return err;
}

int page_tree_write_whole(const char *name, const struct call_tree *tree, struct page_functions *functions,
			  struct json *json)
{
	int err;

	json_object(json, name);
	err = page_tree_write(tree, functions, json);
	write_self(tree, json);
	write_variances(tree, json);
	err = err ? err : write_samples(tree, json);
	json_close(json);
	return err;
}
