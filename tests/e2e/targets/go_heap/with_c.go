// SPDX-License-Identifier: GPL-2.0-or-later

package main

/*
#include <stdlib.h>

static void *keep(size_t size)
{
	return malloc(size);
}
*/
import "C"
import "unsafe"

var fromC []unsafe.Pointer

func callC() {
	for i := 0; i < 100; i++ {
		fromC = append(fromC, C.keep(2000))
	}
}
