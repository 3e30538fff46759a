package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/ethereum/go-ethereum/consensus/beacon"
	"github.com/ethereum/go-ethereum/consensus/ethash"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethdb"
	"github.com/ethereum/go-ethereum/ethdb/pebble"
	"github.com/ethereum/go-ethereum/rlp"
)

// Header import: decode, verify and write a chain into a new database of geth's kind (Pebble), batch by batch, each
// on disk before the next begins.
//
//	import GENESIS HEADERS BATCH FOLDER    names of what was loaded; answers "CPU-ns WALL-ns HEAD-HASH"

func openChain(folder string, genesis *core.Genesis) (ethdb.Database, *core.HeaderChain) {
	store, err := pebble.New(folder, 64, 64, "", false)
	must(err)
	database := rawdb.NewDatabase(store)
	block := genesis.ToBlock()
	rawdb.WriteBlock(database, block)
	rawdb.WriteCanonicalHash(database, block.Hash(), 0)
	rawdb.WriteHeadBlockHash(database, block.Hash())
	rawdb.WriteHeadHeaderHash(database, block.Hash())
	chain, err := core.NewHeaderChain(database, genesis.Config, beacon.New(ethash.NewFaker()),
		func() bool { return false })
	must(err)
	must(database.SyncKeyValue())
	return database, chain
}

func importBatch(database ethdb.Database, chain *core.HeaderChain, encoded [][]byte) {
	headers := make([]*types.Header, len(encoded))
	for i := range encoded {
		headers[i] = new(types.Header)
		must(rlp.DecodeBytes(encoded[i], headers[i]))
	}
	at, err := chain.ValidateHeaderChain(headers)
	if err != nil {
		must(fmt.Errorf("header %d of a batch: %w", at, err))
	}
	_, err = chain.InsertHeaderChain(headers, time.Now())
	must(err)
	must(database.SyncKeyValue())
}

func importAll(genesisJSON, headers []byte, batch int, folder string) string {
	genesis := new(core.Genesis)
	must(json.Unmarshal(genesisJSON, genesis))
	folder, err := os.MkdirTemp(folder, "geth-bench-")
	must(err)
	defer os.RemoveAll(folder)
	items := itemsOf(headers)
	database, chain := openChain(folder, genesis)
	cpu, wall := cpuTime(), time.Now()
	for at := 0; at < len(items); at += batch {
		importBatch(database, chain, items[at:min(at+batch, len(items))])
	}
	took, passed := cpuTime()-cpu, time.Since(wall).Nanoseconds()
	head := chain.CurrentHeader().Hash()
	must(database.Close())
	return fmt.Sprintf("%d %d %s", took, passed, hex.EncodeToString(head[:]))
}

func init() {
	commands["import"] = func(words []string) string {
		return importAll(loaded[words[1]], loaded[words[2]], int(number(words[3])), words[4])
	}
}
