// SPDX-License-Identifier: GPL-2.0-or-later

// A Go program: its heap is its own runtime's, and no allocation function that heaptap knows is mapped.
package main

import "os"

func main() {
	os.Stdout.Write([]byte{'r'})
	os.Stdin.Read(make([]byte, 1))
}
