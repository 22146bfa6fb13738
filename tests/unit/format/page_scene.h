/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Documents of pages, made and taken apart, and what holds of every view in them. */
#include "unit/profile/golden.h"
#include "printed.h"

#include <cjson/cJSON.h>

#include "format/page_data.h"

static cJSON *member(const cJSON *object, const char *name)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!item)
		fail_msg("no member '%s'", name);
	return item;
}

static const cJSON *at(const cJSON *array, u32 index)
{
	const cJSON *item = cJSON_GetArrayItem(array, (int)index);

	if (!item)
		fail_msg("no element %u", index);
	return item;
}

static inline u64 number(const cJSON *item)
{
	assert_true(cJSON_IsNumber(item) && item->valuedouble >= 0);
	return (u64)item->valuedouble;
}

static inline u32 count(const cJSON *array)
{
	assert_true(cJSON_IsArray(array));
	return (u32)cJSON_GetArraySize(array);
}

/* --- documents --- */

/* Not full after one more view. */
static inline void add(struct page *page, enum page_view_kind kind, const struct profile *profile, u32 entry)
{
	struct page_view view = {.kind = kind, .name = "a view", .profile = profile, .entry = entry};

	assert_int_equal(page_data_add_view(page, &view), 0);
}

static inline char *write_document(const struct page *page)
{
	struct printed printed;

	assert_int_equal(page_data_write(page, printed_open(&printed)), 0);
	return printed_close(&printed);
}

static inline char *write_glance(const struct page *page)
{
	struct printed printed;

	assert_int_equal(page_data_write_glance(page, printed_open(&printed)), 0);
	return printed_close(&printed);
}

static cJSON *parse(char *text)
{
	cJSON *json = cJSON_Parse(text);

	if (!json)
		fail_msg("no JSON: %s", text);
	free(text);
	return json;
}

static inline void add_up(const cJSON *rows, u64 sum[MEASURE_MAX])
{
	const cJSON *row;

	cJSON_ArrayForEach (row, rows)
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			sum[m] += number(at(row, m));
}

static inline void check_tree(const cJSON *view, const char *name, const u64 total[MEASURE_MAX])
{
	const cJSON *tree = member(view, name);
	u32 nodes = count(member(tree, "function")), functions = count(member(view, "functions"));
	u64 sum[MEASURE_MAX] = {0};

	assert_true(nodes >= 1);
	assert_int_equal(count(member(tree, "line")), nodes);
	assert_int_equal(count(member(tree, "gathered")), nodes);
	assert_int_equal(count(member(tree, "samples")), nodes);
	assert_int_equal(count(member(tree, "self")), nodes);
	assert_int_equal(count(member(tree, "variance")), nodes);
	for (u32 i = 1; i < nodes; i++)
		assert_true(number(at(member(tree, "parent"), i)) < i);
	for (u32 i = 0; i < nodes; i++)
		assert_true(number(at(member(tree, "function"), i)) < functions);
	add_up(member(tree, "self"), sum);
	assert_memory_equal(sum, total, sizeof(sum));
}

static inline void check_sites(const cJSON *view, const u64 total[MEASURE_MAX])
{
	u64 sum[MEASURE_MAX] = {0};
	const cJSON *site;

	cJSON_ArrayForEach (site, member(view, "sites"))
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			sum[m] += number(at(member(site, "value"), m));
	assert_memory_equal(sum, total, sizeof(sum));
}
