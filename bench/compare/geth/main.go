// go-ethereum's side of the paired benchmarks: the same work on the same bytes, timed in here so that
// the pipe does not count. One command a line on standard input, one answer a line on standard output:
//
//	load NAME HEX      keep these bytes under a name; answers ok
//	check AREA NAME    do it once; answers hex that ours must equal
//	run AREA NAME N    do it N times; answers nanoseconds
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/p2p/enode"
	"github.com/ethereum/go-ethereum/p2p/enr"
	"github.com/ethereum/go-ethereum/rlp"
)

// Each area does its work once on `data` and returns the bytes that both implementations must agree on.
var areas = map[string]func(data []byte) []byte{
	"keccak": func(data []byte) []byte { return crypto.Keccak256(data) },
	"header_decode": func(data []byte) []byte {
		var header types.Header
		must(rlp.DecodeBytes(data, &header))
		return header.ParentHash[:]
	},
	"header_decode_hash": func(data []byte) []byte {
		var header types.Header
		must(rlp.DecodeBytes(data, &header))
		hash := header.Hash()
		return hash[:]
	},
	"enr_decode_verify": func(data []byte) []byte {
		var record enr.Record
		must(rlp.DecodeBytes(data, &record))
		node, err := enode.New(enode.ValidSchemes, &record)
		must(err)
		id := node.ID()
		return id[:]
	},
}

func must(err error) {
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

func main() {
	loaded := map[string][]byte{}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<20)
	for in.Scan() {
		words := strings.Fields(in.Text())
		switch {
		case len(words) == 3 && words[0] == "load":
			data, err := hex.DecodeString(words[2])
			must(err)
			loaded[words[1]] = data
			fmt.Println("ok")
		case len(words) == 3 && words[0] == "check" && areas[words[1]] != nil:
			fmt.Println(hex.EncodeToString(areas[words[1]](loaded[words[2]])))
		case len(words) == 4 && words[0] == "run" && areas[words[1]] != nil:
			count, err := strconv.ParseUint(words[3], 10, 64)
			must(err)
			work, data := areas[words[1]], loaded[words[2]]
			start := time.Now()
			for i := uint64(0); i < count; i++ {
				work(data)
			}
			fmt.Println(time.Since(start).Nanoseconds())
		default:
			must(fmt.Errorf("not a command: %q", in.Text()))
		}
	}
}
