/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A short process whose allocations depend on its number: no two numbers below 1000 have the same totals. The last child
 * that a shell, make or target_brood executes.
 *
 *   target_offspring NUMBER
 */
#include <stdlib.h>
#include <string.h>

#include "offspring.h"

int main(int argc, char **argv)
{
	return argc > 1 ? offspring(strtoul(argv[1], NULL, 10)) : 2;
}
