// SPDX-License-Identifier: GPL-2.0-or-later

// 64 goroutines whose stacks grow from the smallest to some 100 KiB, which copies them, again and again; each checks all that its frames hold,
// and a pointer into its own stack. With a number it does so many rounds and ends; without one it says "r" after ten rounds of
// each goroutine, and goes on at each byte that it reads. It ends with its input: status 3 if something was not as it was left.
package main

import (
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
)

const (
	goroutines = 64
	rounds     = 10
	words      = 16
)

//go:noinline
func fill(room *[words]int, value int) {
	for i := range room {
		room[i] = value + i
	}
}

//go:noinline
func grow(depth, value int, above *int) int {
	var room [words]int

	fill(&room, value)
	if depth > 0 && grow(depth-1, value+1, &room[3]) != value+1 {
		return -1
	}
	for i := range room {
		if room[i] != value+i {
			return -1
		}
	}
	if *above != value-1+3 {
		return -1
	}
	return value
}

// In a goroutine of its own each time, since a stack that has grown stays large.
func round(number int, kept *[]byte, wait *sync.WaitGroup) {
	above := number - 1 + 3

	*kept = make([]byte, 1000+number)
	if grow(100+10*number, number, &above) != number {
		os.Exit(3)
	}
	wait.Done()
}

func all(times int) {
	var kept [goroutines][]byte
	var wait sync.WaitGroup

	for ; times > 0; times-- {
		wait.Add(goroutines)
		for number := 0; number < goroutines; number++ {
			go round(number, &kept[number], &wait)
		}
		wait.Wait()
	}
}

func main() {
	runtime.MemProfileRate = 4096
	if pprof.Lookup("heap") == nil {
		os.Exit(4)
	}
	if len(os.Args) > 1 {
		times, _ := strconv.Atoi(os.Args[1])
		all(times)
		return
	}
	stop := make(chan bool)
	go func() {
		for room := make([]byte, 1); ; {
			all(rounds)
			os.Stdout.Write([]byte{'r'})
			if count, _ := os.Stdin.Read(room); count != 1 {
				stop <- true
			}
		}
	}()
	// Others grow meanwhile, while nobody waits for them.
	go func() {
		for {
			all(1)
		}
	}()
	<-stop
}
