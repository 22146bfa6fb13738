/* SPDX-License-Identifier: GPL-2.0-or-later */
/* call_tree.c, call_tree_fold.c: shapes, sums that are exact, what is small gathered, another profile on the same tree. */
#include <math.h>

#include "unit/profile/golden.h"
#include "wide_profile.h"

#include "profile/sites.h"
#include "view/call_tree.h"
#include "view/call_tree_fold.h"
#include "view/call_tree_gather.h"

static struct call_tree make(const struct profile *profile, enum call_tree_order order, enum measure by)
{
	struct call_tree tree;

	assert_int_equal(call_tree_make(profile, order, by, &tree), 0);
	return tree;
}

/* The child of `parent` with that name; fails if there is none. */
static u32 child(const struct call_tree *tree, u32 parent, const char *name)
{
	for (u32 i = parent + 1; i < tree->count; i++)
		if (tree->nodes[i].parent == parent && !strcmp(tree->nodes[i].name, name))
			return i;
	fail_msg("no '%s' below '%s'", name, tree->nodes[parent].name);
	return 0;
}

/* What must hold of every tree: parents first, siblings sorted, children and self add up, self adds up to the profile's totals. */
static void check_tree(const struct call_tree *tree, const struct profile *profile)
{
	u64 total[MEASURE_MAX], sum[MEASURE_MAX] = {0};

	profile_totals(profile, total);
	assert_string_equal(tree->nodes[0].name, "all");
	for (u32 i = 0; i < tree->count; i++) {
		const struct call_tree_node *node = &tree->nodes[i], *before = NULL;
		u64 value[MEASURE_MAX];

		memcpy(value, node->self, sizeof(value));
		assert_true(i ? node->parent < i : node->parent == 0);
		for (u32 j = i + 1; j < tree->count; j++) {
			if (tree->nodes[j].parent != i)
				continue;
			for (unsigned int m = 0; m < MEASURE_MAX; m++)
				value[m] += tree->nodes[j].value[m];
			if (before && !tree->nodes[j].gathered)
				assert_true(before->value[tree->by] >= tree->nodes[j].value[tree->by]);
			if (before)
				assert_int_equal(before->gathered, 0);
			before = &tree->nodes[j];
		}
		assert_memory_equal(value, node->value, sizeof(value));
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			sum[m] += node->self[m];
	}
	assert_memory_equal(sum, total, sizeof(total));
	assert_memory_equal(tree->nodes[0].value, total, sizeof(total));
}

static void test_tree_from_the_root_has_callees_below_callers(void **state)
{
	struct profile profile = golden_small();
	struct call_tree tree = make(&profile, CALL_TREE_ROOT, INUSE_SPACE);
	u32 start, main, list, node, vdso;

	(void)state;
	check_tree(&tree, &profile);
	start = child(&tree, 0, "__libc_start_call_main");
	main = child(&tree, start, "main");
	list = child(&tree, main, "build_list");
	node = child(&tree, list, "make_node");
	assert_int_equal(tree.nodes[node].self[INUSE_OBJECTS], 1537);
	assert_int_equal(tree.nodes[node].alloc_samples, 5);
	assert_int_equal(tree.nodes[main].alloc_samples, 15);
	assert_int_equal(tree.nodes[node].line, 12);
	assert_string_equal(tree.nodes[node].file, "/src/small.c");
	assert_null(tree.nodes[start].file);
	vdso = child(&tree, child(&tree, 0, "[0x10]"), "[[vdso]+0xa10]");
	assert_int_equal(tree.nodes[vdso].alloc_samples, 1);
	assert_int_equal(tree.nodes[child(&tree, 0, "(stack unknown)")].inuse_samples, 1);
	assert_int_equal(tree.count, 9);
	call_tree_release(&tree);
}

/* Errors are those of the sites: a node is as uncertain as all that is below it. */
static void test_tree_knows_standard_errors(void **state)
{
	struct profile profile = golden_small();
	struct profile_site sum = profile_sites_sum(&profile);
	struct call_tree tree = make(&profile, CALL_TREE_ROOT, INUSE_SPACE);

	(void)state;
	for (u32 nodes_max = 9; nodes_max >= 2; nodes_max--) {
		double self[MEASURE_MAX] = {0};

		assert_int_equal(call_tree_gather(&tree, 0, nodes_max), 0);
		for (unsigned int m = 0; m < MEASURE_MAX; m++) {
			for (u32 i = 0; i < tree.count; i++)
				self[m] += tree.nodes[i].self_variance[m];
			assert_true(fabs(sqrt(tree.nodes[0].variance[m]) - sum.stderr_value[m]) < 1e-3);
			assert_true(fabs(sqrt(self[m]) - sum.stderr_value[m]) < 1e-3);
		}
	}
	call_tree_release(&tree);
}

static void test_tree_from_the_leaf_has_callers_below_callees(void **state)
{
	struct profile profile = golden_small();
	struct call_tree tree = make(&profile, CALL_TREE_LEAF, ALLOC_SPACE);
	u32 node, main;

	(void)state;
	check_tree(&tree, &profile);
	node = child(&tree, 0, "make_node");
	main = child(&tree, child(&tree, node, "build_list"), "main");
	child(&tree, main, "__libc_start_call_main");
	child(&tree, child(&tree, child(&tree, 0, "ns::list<int>::grow(unsigned long)"), "main"),
	      "__libc_start_call_main");
	assert_int_equal(tree.nodes[node].self[ALLOC_SPACE], 0);
	call_tree_release(&tree);
}

/* Two lines of one function are one node, which has no line then; the same name in another file is another node. */
static void test_tree_merges_lines_of_a_function_and_keeps_files_apart(void **state)
{
	struct profile_line first = {(char *)"f", (char *)"f", (char *)"f.c", 5, 1, FRAME_PROGRAM};
	struct profile_line second = {(char *)"f", (char *)"f", (char *)"f.c", 6, 1, FRAME_LIBRARY};
	struct profile_mapping mappings[] = {{.path = (char *)"/lib/a.so"}, {.path = (char *)"/lib/b.so"}};
	struct profile_location locations[] = {
		{.address = 1, .mapping = 0, .line_count = 1, .lines = &first},
		{.address = 2, .mapping = 0, .line_count = 1, .lines = &second},
		{.address = 3, .mapping = 1, .line_count = 1, .lines = &second},
	};
	u32 index[] = {0, 1, 2};
	struct profile_sample samples[3];
	struct profile profile = {.sample_bytes = 1,
				  .mappings = mappings,
				  .mapping_count = 2,
				  .locations = locations,
				  .location_count = 3,
				  .samples = samples,
				  .sample_count = 3};
	struct call_tree tree;

	(void)state;
	for (u32 i = 0; i < 3; i++)
		samples[i] = (struct profile_sample){
			.location = &index[i], .depth = 1, .size = 10, .alloc_count = i + 1, .inuse_count = 1};
	tree = make(&profile, CALL_TREE_ROOT, ALLOC_SPACE);
	check_tree(&tree, &profile);
	assert_int_equal(tree.count, 3);
	for (u32 i = 1; i < 3; i++) {
		assert_string_equal(tree.nodes[i].name, "f");
		assert_int_equal(tree.nodes[i].value[ALLOC_SPACE], 30);
		assert_int_equal(tree.nodes[i].role, FRAME_LIBRARY); /* that of the heaviest */
	}
	assert_int_equal(tree.nodes[1].line + tree.nodes[2].line, 6);
	call_tree_release(&tree);
}

static void test_tree_of_an_empty_profile_is_its_first_node(void **state)
{
	struct profile profile = golden_empty();
	struct call_tree tree = make(&profile, CALL_TREE_ROOT, INUSE_SPACE);

	(void)state;
	check_tree(&tree, &profile);
	assert_int_equal(tree.count, 1);
	assert_int_equal(call_tree_gather(&tree, 0.1, 2), 0);
	assert_int_equal(tree.count, 1);
	call_tree_release(&tree);
}

static void test_tree_gathers_what_is_small_and_keeps_sums(void **state)
{
	struct profile profile = golden_small();
	struct call_tree tree = make(&profile, CALL_TREE_ROOT, INUSE_SPACE);

	(void)state;
	assert_int_equal(call_tree_gather(&tree, 0.3, 100), 0);
	check_tree(&tree, &profile);
	/* Below 30 % of everything is the unknown stack alone; the vdso's objects are many. */
	assert_int_equal(tree.nodes[tree.count - 1].gathered, 1);
	assert_string_equal(tree.nodes[tree.count - 1].name, "(1 smaller)");
	assert_int_equal(tree.nodes[tree.count - 1].alloc_samples, 2);
	call_tree_release(&tree);
}

/* Whatever the limit, it is kept, and so are the sums; also when what was gathered is gathered again. */
static void test_tree_gathers_down_to_any_number_of_nodes(void **state)
{
	static const u32 limits[] = {2000, 700, 64, 7, 2};
	struct wide_profile wide;
	struct call_tree tree;

	(void)state;
	wide_profile_make(&wide, 1000, 12);
	tree = make(&wide.profile, CALL_TREE_ROOT, ALLOC_SPACE);
	check_tree(&tree, &wide.profile);
	assert_true(tree.count > 2000);
	for (u32 i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		assert_int_equal(call_tree_gather(&tree, 0, limits[i]), 0);
		assert_in_range(tree.count, limits[i] / 2, limits[i]);
		check_tree(&tree, &wide.profile);
	}
	call_tree_release(&tree);
	wide_profile_release(&wide);
}

static void check_same(const struct call_tree *a, const struct call_tree *b)
{
	assert_int_equal(a->count, b->count);
	for (u32 i = 0; i < a->count; i++) {
		assert_string_equal(a->nodes[i].name, b->nodes[i].name);
		assert_int_equal(a->nodes[i].parent, b->nodes[i].parent);
		assert_memory_equal(a->nodes[i].self, b->nodes[i].self, sizeof(a->nodes[i].self));
	}
}

/* Whether what is small is gathered while the tree is made or later does not matter. */
static void test_tree_that_gathers_from_the_beginning_is_the_same(void **state)
{
	static const double leasts[] = {1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5};
	const struct profile *profile;
	struct wide_profile wide;

	(void)state;
	wide_profile_make(&wide, 300, 6);
	profile = &wide.profile;
	for (u32 i = 0; i < sizeof(leasts) / sizeof(leasts[0]); i++) {
		double least = leasts[i];
		struct call_tree now, later = make(profile, CALL_TREE_LEAF, INUSE_OBJECTS);

		assert_int_equal(call_tree_make_of(&profile, 1, CALL_TREE_LEAF, INUSE_OBJECTS, least, &now), 0);
		assert_int_equal(call_tree_gather(&later, least, UINT32_MAX), 0);
		check_tree(&now, profile);
		check_same(&now, &later);
		call_tree_release(&now);
		call_tree_release(&later);
	}
	wide_profile_release(&wide);
}

/* The sum of what is below `f` begins again from 0, as that of several files may: it is not taken for small. */
static void test_tree_of_sums_that_no_number_holds_keeps_every_name(void **state)
{
	static struct profile_line lines[] = {{.function = (char *)"f"},
					      {.function = (char *)"g"},
					      {.function = (char *)"h"},
					      {.function = (char *)"k"}};
	static u32 stacks[] = {2, 1, 0, 2, 0, 3}; /* f g h; f h; k */
	struct profile_location locations[4];
	struct profile_sample samples[] = {{.location = stacks, .depth = 3, .alloc_count = 1ull << 63},
					   {.location = stacks + 3, .depth = 2, .alloc_count = 1ull << 63},
					   {.location = stacks + 5, .depth = 1, .alloc_count = 1000}};
	struct profile profile = {
		.sample_bytes = 1, .locations = locations, .location_count = 4, .samples = samples, .sample_count = 3};
	const struct profile *profiles = &profile;
	struct call_tree now, later;

	(void)state;
	for (u32 i = 0; i < 4; i++)
		locations[i] = (struct profile_location){
			.address = i, .mapping = MAPPING_UNKNOWN, .line_count = 1, .lines = &lines[i]};
	assert_int_equal(call_tree_make_of(&profiles, 1, CALL_TREE_ROOT, ALLOC_OBJECTS, 0.01, &now), 0);
	later = make(&profile, CALL_TREE_ROOT, ALLOC_OBJECTS);
	assert_int_equal(call_tree_gather(&later, 0.01, 100), 0);
	assert_int_equal(now.count, 6);
	child(&now, child(&now, child(&now, 0, "f"), "g"), "h");
	child(&now, child(&now, 0, "f"), "h");
	check_same(&now, &later);
	call_tree_release(&now);
	call_tree_release(&later);
}

/* A profile on its own tree is what the tree has, gathered or not. */
static void check_fold(const struct profile *profile, enum call_tree_order order, u32 nodes_max)
{
	struct call_tree tree = make(profile, order, INUSE_SPACE);
	u64(*self)[MEASURE_MAX];

	assert_int_equal(call_tree_gather(&tree, 0, nodes_max), 0);
	assert_int_equal(call_tree_fold(&tree, profile, &self), 0);
	for (u32 i = 0; i < tree.count; i++)
		assert_memory_equal(self[i], tree.nodes[i].self, sizeof(self[i]));
	free(self);
	call_tree_release(&tree);
}

/* One location with very many inlined lines, many times in one stack: a few bytes of a file. */
static void test_tree_of_an_endless_stack_is_cut(void **state)
{
	enum {
		LINES = 3000,
		DEPTH = 500
	};
	static struct profile_line lines[LINES];
	static char names[LINES][8];
	static u32 stack[DEPTH];
	struct profile_location location = {.mapping = MAPPING_UNKNOWN, .line_count = LINES, .lines = lines};
	struct profile_sample sample = {.location = stack, .depth = DEPTH, .size = 8, .alloc_count = 1};
	struct profile profile = {
		.sample_bytes = 1, .locations = &location, .location_count = 1, .samples = &sample, .sample_count = 1};
	struct call_tree tree;

	(void)state;
	for (u32 i = 0; i < LINES; i++) {
		snprintf(names[i], sizeof(names[i]), "f%u", i);
		lines[i] = (struct profile_line){.function = names[i], .system_name = names[i], .line = i};
	}
	tree = make(&profile, CALL_TREE_ROOT, ALLOC_SPACE);
	check_tree(&tree, &profile);
	assert_int_equal(tree.count, STACK_STEPS_MAX + 1);
	assert_string_equal(tree.nodes[1].name, PROFILE_TRUNCATED);
	assert_string_equal(tree.nodes[STACK_STEPS_MAX].name, "f0");
	call_tree_release(&tree);
	check_fold(&profile, CALL_TREE_LEAF, 10000);
}

static void test_fold_of_the_same_profile_is_the_tree_itself(void **state)
{
	struct profile profile = golden_small();
	struct wide_profile wide;

	(void)state;
	wide_profile_make(&wide, 500, 8);
	for (u32 nodes_max = 2; nodes_max < 300; nodes_max += 20) {
		check_fold(&profile, CALL_TREE_ROOT, nodes_max);
		check_fold(&profile, CALL_TREE_LEAF, nodes_max);
		check_fold(&wide.profile, CALL_TREE_ROOT, nodes_max);
		check_fold(&wide.profile, CALL_TREE_LEAF, nodes_max);
	}
	wide_profile_release(&wide);
}

/* Nothing of another profile is lost, though it has stacks that the tree has not. */
static void test_fold_of_another_profile_keeps_its_sums(void **state)
{
	struct profile profile = golden_all_live(), other = golden_small();
	struct call_tree tree = make(&profile, CALL_TREE_ROOT, INUSE_SPACE);
	u64(*self)[MEASURE_MAX], total[MEASURE_MAX], sum[MEASURE_MAX] = {0};

	(void)state;
	profile_totals(&other, total);
	assert_int_equal(call_tree_fold(&tree, &other, &self), 0);
	for (u32 i = 0; i < tree.count; i++)
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			sum[m] += self[i][m];
	assert_memory_equal(sum, total, sizeof(sum));
	free(self);
	call_tree_release(&tree);
}

static void test_tree_of_two_profiles_has_the_nodes_of_both(void **state)
{
	struct profile small = golden_small(), live = golden_all_live();
	const struct profile *both[] = {&small, &live};
	u64 first[MEASURE_MAX], second[MEASURE_MAX];
	struct call_tree tree;

	(void)state;
	profile_totals(&small, first);
	profile_totals(&live, second);
	assert_int_equal(call_tree_make_of(both, 2, CALL_TREE_ROOT, INUSE_SPACE, 0, &tree), 0);
	assert_int_equal(tree.count, 9);
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		assert_int_equal(tree.nodes[0].value[m], first[m] + second[m]);
	call_tree_release(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree_from_the_root_has_callees_below_callers),
		cmocka_unit_test(test_tree_knows_standard_errors),
		cmocka_unit_test(test_tree_from_the_leaf_has_callers_below_callees),
		cmocka_unit_test(test_tree_merges_lines_of_a_function_and_keeps_files_apart),
		cmocka_unit_test(test_tree_of_an_empty_profile_is_its_first_node),
		cmocka_unit_test(test_tree_gathers_what_is_small_and_keeps_sums),
		cmocka_unit_test(test_tree_gathers_down_to_any_number_of_nodes),
		cmocka_unit_test(test_tree_that_gathers_from_the_beginning_is_the_same),
		cmocka_unit_test(test_tree_of_an_endless_stack_is_cut),
		cmocka_unit_test(test_tree_of_sums_that_no_number_holds_keeps_every_name),
		cmocka_unit_test(test_fold_of_the_same_profile_is_the_tree_itself),
		cmocka_unit_test(test_fold_of_another_profile_keeps_its_sums),
		cmocka_unit_test(test_tree_of_two_profiles_has_the_nodes_of_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
