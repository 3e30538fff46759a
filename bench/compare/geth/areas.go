package main

import (
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/p2p/discover/v4wire"
	"github.com/ethereum/go-ethereum/p2p/enode"
	"github.com/ethereum/go-ethereum/p2p/enr"
	"github.com/ethereum/go-ethereum/rlp"
)

var areas = map[string]area{
	"keccak":             func(data []byte) work { return func(uint64) []byte { return crypto.Keccak256(data) } },
	"header_decode_hash": func(data []byte) work { return each(itemsOf(data), headerHash) },
	"enr_decode_verify":  func(data []byte) work { return each(itemsOf(data), recordID) },
	"v4_ping_decode":     func(data []byte) work { return each([][]byte{data}, pingSender) },
	"v5_decode":          v5Decode,
	"v5_encode":          v5Encode,
}

// The items of data that are one RLP list after another.
func itemsOf(data []byte) [][]byte {
	var items [][]byte
	for len(data) > 0 {
		_, _, rest, err := rlp.Split(data)
		must(err)
		items = append(items, data[:len(data)-len(rest)])
		data = rest
	}
	return items
}

// In turns.
func each(items [][]byte, do func([]byte) []byte) work {
	return func(i uint64) []byte { return do(items[i%uint64(len(items))]) }
}

// The digest of what comes of every item, where an area has several.
func checkAll(do work, name string) []byte {
	if name != "header_decode_hash" && name != "enr_decode_verify" {
		return do(0)
	}
	var all []byte
	for i := uint64(0); i < 600; i++ {
		all = append(all, do(i)...)
	}
	return crypto.Keccak256(all)
}

func headerHash(data []byte) []byte {
	var header types.Header
	must(rlp.DecodeBytes(data, &header))
	hash := header.Hash()
	return hash[:]
}

func recordID(data []byte) []byte {
	var record enr.Record
	must(rlp.DecodeBytes(data, &record))
	node, err := enode.New(enode.ValidSchemes, &record)
	must(err)
	id := node.ID()
	return id[:]
}

func pingSender(data []byte) []byte {
	packet, key, _, err := v4wire.Decode(data)
	must(err)
	if packet.Kind() != v4wire.PingPacket {
		must(v4wire.ErrBadHash)
	}
	return key[:]
}
