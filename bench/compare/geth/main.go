// geth_bench: go-ethereum's side of the comparisons (bench/README.md): the same work on the same bytes, timed in
// here so that the pipe does not count. One command a line on standard input, one answer a line on standard output:
//
//	load NAME HEX       keep these bytes under a name; answers ok
//	check AREA NAME     do it once; answers hex that ours must equal
//	run AREA NAME N     do it N times; answers nanoseconds of this process's CPU time, its collector's included
//
// What a state is made for first has commands of its own: codec.go, headers.go, memory.go.
// With the argument `serve KEY` it is a node of p2p/discover instead: serve.go.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// An area does item i of its work on what `load` kept, and returns the bytes that both implementations must agree on.
type work func(item uint64) []byte
type area func(data []byte) work

var loaded = map[string][]byte{}

// Commands by their first word.
var commands = map[string]func(words []string) string{
	"load": func(words []string) string {
		loaded[words[1]] = unhex(words[2])
		return "ok"
	},
	"check": func(words []string) string {
		return hex.EncodeToString(checkAll(areaOf(words[1])(loaded[words[2]]), words[1]))
	},
	"run": func(words []string) string {
		return strconv.FormatInt(run(areaOf(words[1])(loaded[words[2]]), number(words[3])), 10)
	},
}

func areaOf(name string) area {
	found, ok := areas[name]
	if !ok {
		must(fmt.Errorf("no such area: %s", name))
	}
	return found
}

func run(do work, count uint64) int64 {
	start := cpuTime()
	for i := uint64(0); i < count; i++ {
		do(i)
	}
	return cpuTime() - start
}

// Of all threads of this process, in nanoseconds.
func cpuTime() int64 {
	var t unix.Timespec
	must(unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t))
	return t.Nano()
}

func must(err error) {
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

func unhex(text string) []byte {
	data, err := hex.DecodeString(text)
	must(err)
	return data
}

func number(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	must(err)
	return n
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		serve(unhex(os.Args[2]))
		return
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 64<<20) // 20,000 headers in hex
	for in.Scan() {
		words := strings.Fields(in.Text())
		if len(words) == 0 || commands[words[0]] == nil {
			must(fmt.Errorf("not a command: %.40q", in.Text()))
		}
		fmt.Println(commands[words[0]](words))
	}
}
