// SPDX-License-Identifier: GPL-2.0-or-later

// program COUNT FILE: as program.py; C has the block.
package main

// #include <stdlib.h>
// static void *volatile kept;
// __attribute__((noinline)) static void keep(size_t size) { kept = malloc(size); free(kept); }
import "C"

import (
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
)

var account []string

func functions() string {
	var names []string
	pcs := make([]uintptr, 1000)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	for {
		frame, more := frames.Next()
		if at := strings.Index(frame.Function, "deep_"); at >= 0 {
			names = append(names, frame.Function[at:])
		}
		if !more {
			return strings.Join(names, ";")
		}
	}
}

//go:noinline
func deep_leaf(size int) {
	C.keep(C.size_t(size))
	account = append(account, fmt.Sprintf("%d %s\n", size, functions()))
}

func deep_closure(chance *rand.Rand, depth, size int) {
	func() {
		defer func() { recover() }()
		deep_step(chance, depth, size)
	}()
}

func deep_sorted(chance *rand.Rand, depth, size int) {
	sort.Slice(make([]int, 2), func(i, j int) bool {
		deep_step(chance, depth, size)
		return false
	})
}

func deep_goroutine(chance *rand.Rand, depth, size int) {
	done := make(chan bool)
	go func() {
		deep_step(chance, depth, size)
		done <- true
	}()
	<-done
}

//go:noinline
func deep_large(chance *rand.Rand, depth, size int) {
	var large [3000]byte
	deep_step(chance, depth, size)
	runtime.KeepAlive(&large)
}

func deep_step(chance *rand.Rand, depth, size int) {
	ways := []func(*rand.Rand, int, int){deep_closure, deep_sorted, deep_goroutine, deep_large}
	if depth > 0 {
		ways[chance.Intn(len(ways))](chance, depth-1, size)
	} else {
		deep_leaf(size)
	}
}

func main() {
	count, _ := strconv.Atoi(os.Args[1])
	chance := rand.New(rand.NewSource(7))
	for number := 0; number < count; number++ {
		deep_step(chance, chance.Intn(6), 100001+16*number)
	}
	os.WriteFile(os.Args[2], []byte(strings.Join(account, "")), 0644)
}
