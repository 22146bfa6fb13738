// SPDX-License-Identifier: GPL-2.0-or-later

// sites DEPTH LIVE BYTES: what sites.c allocates, in a Go program that serves its own heap profile; prints its address.
package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"strconv"
)

var depth, bytes int
var blocks [][]byte

//go:noinline
func left(path, level int) {
	step(path, level)
}

//go:noinline
func right(path, level int) {
	step(path, level)
}

func step(path, level int) {
	if level == depth {
		blocks = append(blocks, make([]byte, bytes))
	} else if path&1 == 1 {
		right(path>>1, level+1)
	} else {
		left(path>>1, level+1)
	}
}

func main() {
	depth, _ = strconv.Atoi(os.Args[1])
	live, _ := strconv.Atoi(os.Args[2])
	bytes, _ = strconv.Atoi(os.Args[3])
	runtime.MemProfileRate = 64
	blocks = make([][]byte, 0, live)
	for i := 0; i < live; i++ {
		left(i, 0)
	}
	runtime.GC()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	panic(http.Serve(listener, nil))
}
