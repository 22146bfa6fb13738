// SPDX-License-Identifier: GPL-2.0-or-later

// trees: for each line read, as many trees of maps and slices as it says are built and dropped, from 64 call stacks; prints the CPU time
// of the whole process for that in nanoseconds.
package main

import (
	"bufio"
	"fmt"
	_ "net/http/pprof" // without it the linker turns the profiler off
	"os"
	"runtime"
	"strconv"
	"syscall"
)

var kept [1024]map[string][]byte

func step(path, level int) {
	if level == 6 {
		row := make(map[string][]byte)
		for i := 0; i < 16; i++ {
			row[strconv.Itoa(path+i)] = make([]byte, 64+16*i)
		}
		kept[path%len(kept)] = row
	} else if path&1 == 1 {
		right(path>>1, level+1)
	} else {
		left(path>>1, level+1)
	}
}

//go:noinline
func left(path, level int) {
	step(path, level)
}

//go:noinline
func right(path, level int) {
	step(path, level)
}

func used() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		count, err := strconv.Atoi(lines.Text())
		if err != nil {
			panic(err)
		}
		before := used()
		for i := 0; i < count; i++ {
			left(i, 0)
		}
		// A cycle that is left to the next line would be counted there.
		runtime.GC()
		fmt.Println(used() - before)
	}
}
