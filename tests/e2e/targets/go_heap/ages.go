// SPDX-License-Identifier: GPL-2.0-or-later

// A Go program whose sites keep objects for known numbers of garbage collections. Its arguments are runtime.MemProfileRate and a number of
// rounds, each of which ends with a collection; with a third, so many goroutines call a function with each allocation that makes their
// stacks grow, and give them up again. It says "r" and waits for a byte, then runs, says "d" and waits for another.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
)

const ringRounds = 8

var brief []byte
var ring [ringRounds][]byte
var kept [][]byte

// Dead at the end of its round.
//
//go:noinline
func makeBrief() {
	for i := 0; i < 32; i++ {
		brief = make([]byte, 128<<10)
	}
	brief = nil
}

// Dead after ringRounds rounds.
//
//go:noinline
func makeRing(round int) {
	ring[round%ringRounds] = make([]byte, 64<<10)
}

//go:noinline
func makeKept(round int) {
	kept[round] = make([]byte, 256<<10)
}

// Needs 64 KiB of stack at its end.
//
//go:noinline
func deep(n int) byte {
	var pad [1024]byte
	pad[n] = *grow(n)
	if n < 64 {
		pad[n] += deep(n + 1)
	}
	return pad[n]
}

var held sync.Map

//go:noinline
func grow(n int) *byte {
	block := make([]byte, 100+n)
	held.Store(n, &block[0])
	return &block[0]
}

func growStacks(goroutines, rounds int) {
	var group sync.WaitGroup
	for i := 0; i < goroutines; i++ {
		group.Add(1)
		go func() {
			for round := 0; round < rounds; round++ {
				done := make(chan byte)
				go func() { done <- deep(0) }()
				<-done
			}
			group.Done()
		}()
	}
	group.Wait()
}

func main() {
	runtime.MemProfileRate, _ = strconv.Atoi(os.Args[1])
	rounds, _ := strconv.Atoi(os.Args[2])
	kept = make([][]byte, rounds)
	callC()
	fmt.Print("r")
	os.Stdin.Read(make([]byte, 1))
	if len(os.Args) > 3 {
		goroutines, _ := strconv.Atoi(os.Args[3])
		growStacks(goroutines, rounds)
	} else {
		for round := 0; round < rounds; round++ {
			makeBrief()
			makeRing(round)
			makeKept(round)
			runtime.GC()
		}
	}
	runtime.GC()
	runtime.GC()
	runtime.MemProfile(nil, true) // else Go's linker turns the profiler off
	fmt.Print("d")
	os.Stdin.Read(make([]byte, 1))
	runtime.KeepAlive(kept)
}
