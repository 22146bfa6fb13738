// SPDX-License-Identifier: GPL-2.0-or-later

// A Go program that allocates in known ways and writes what its own profiler says of that, as of a garbage collection, into the file
// that its first argument names; its second is runtime.MemProfileRate. Then it says "r" and waits for its standard input; nothing is published meanwhile, nor before it ends, when
// it has called C once more.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
)

var kept []any
var transient any

type node struct {
	next *node
	pad  [24]byte
}

// Inlined into its callers.
func small(n int) []byte { return make([]byte, n) }
func inlinedTwice(n int) []byte {
	return small(2 * n)
}

//go:noinline
func persistent() {
	var list *node
	for i := 0; i < 1000; i++ {
		list = &node{next: list}
	}
	kept = append(kept, list)
}

//go:noinline
func mixed() {
	for i := 0; i < 300; i++ {
		transient = inlinedTwice(1000 + 8*i)
		kept = append(kept, small(4096), inlinedTwice(64))
	}
}

//go:noinline
func large() {
	transient = make([]byte, 2<<20)
	kept = append(kept, make([]byte, 1<<20))
}

//go:noinline
func generic[T any](n int) {
	for i := 0; i < n; i++ {
		kept = append(kept, new(T))
	}
}

// Deeper than any stack of the profiler.
//
//go:noinline
func deep(n int) int {
	if n == 0 {
		kept = append(kept, make([]byte, 50000))
		return 0
	}
	return 1 + deep(n-1)
}

type worker struct{ done chan bool }

func (w *worker) run() {
	func() {
		kept = append(kept, make([]byte, 30000))
	}()
	w.done <- true
}

func main() {
	runtime.MemProfileRate, _ = strconv.Atoi(os.Args[2])
	callC()
	for round := 0; round < 3; round++ {
		persistent()
		mixed()
		large()
		generic[[5]int64](200)
		generic[string](100)
		deep(200)
		w := &worker{make(chan bool)}
		go w.run()
		<-w.done
		runtime.GC()
	}
	transient = nil
	runtime.GC()
	debug.SetGCPercent(-1)
	out, err := os.Create(os.Args[1])
	if err == nil {
		err = pprof.Lookup("heap").WriteTo(out, 1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	out.Close()
	os.Stdout.Write([]byte{'r'})
	os.Stdin.Read(make([]byte, 1))
	callC()
	runtime.KeepAlive(kept)
}
