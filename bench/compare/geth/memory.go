package main

import (
	"crypto/ecdsa"
	"net"
	"runtime"
	"strconv"

	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/p2p/discover"
	"github.com/ethereum/go-ethereum/p2p/discover/v5wire"
	"github.com/ethereum/go-ethereum/p2p/enode"
	"github.com/ethereum/go-ethereum/p2p/enr"
)

// What the heap holds more of, after a collection, with so many of them.
//
//	memory.sessions N    sessions of N strangers in a codec; answers bytes each
//	memory.table N       N nodes told to a table; answers "bytes-each entries"

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func sessionBytes(count uint64) int64 {
	key, err := crypto.GenerateKey()
	must(err)
	node := newEndpoint(key)
	strangers := make([]endpoint, count)
	for i := range strangers { // their records are in the database from here on
		key, err := crypto.GenerateKey()
		must(err)
		strangers[i] = newEndpoint(key)
		strangers[i].local.Node()
	}
	before := heap()
	for i := range strangers {
		meet(node, strangers[i].local, strangers[i].key)
	}
	after := heap()
	runtime.KeepAlive(node)
	runtime.KeepAlive(strangers)
	return (after - before) / int64(count)
}

// A stranger opens a session with `node`, and forgets it.
func meet(node endpoint, local *enode.LocalNode, key *ecdsa.PrivateKey) {
	stranger := endpoint{key, local, v5wire.NewCodec(local, key, new(mclock.Simulated), nil)}
	sent := node.encode(stranger.local.ID(), ourAddress, new(v5wire.Whoareyou), nil)
	_, _, got, err := stranger.codec.Decode(sent, ourAddress)
	must(err)
	got.(*v5wire.Whoareyou).Node = node.local.Node()
	packet := stranger.encode(node.local.ID(), ourAddress, thePing(), got.(*v5wire.Whoareyou))
	_, _, _, err = node.codec.Decode(packet, ourAddress)
	must(err)
}

func tableBytes(count uint64) (int64, int) {
	key, err := crypto.GenerateKey()
	must(err)
	local := newEndpoint(key).local
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(err)
	node, err := discover.ListenV5(socket, local, discover.Config{PrivateKey: key})
	must(err)
	defer node.Close()
	before := heap()
	for i := uint64(0); i < count; i++ {
		key, err := crypto.GenerateKey()
		must(err)
		node.AddKnownNode(nodeOf(key, i))
	}
	entries := 0
	for _, bucket := range node.Nodes() {
		entries += len(bucket)
	}
	return (heap() - before) / int64(entries), entries
}

// Each in a /24 of its own: the table limits those of one.
func nodeOf(key *ecdsa.PrivateKey, number uint64) *enode.Node {
	var record enr.Record
	record.Set(enr.IPv4{60, byte(number >> 8), byte(number), 1})
	record.Set(enr.UDP(9000))
	must(enode.SignV4(&record, key))
	node, err := enode.New(enode.ValidSchemes, &record)
	must(err)
	return node
}

func init() {
	commands["memory.sessions"] = func(words []string) string {
		return strconv.FormatInt(sessionBytes(number(words[1])), 10)
	}
	commands["memory.table"] = func(words []string) string {
		bytes, entries := tableBytes(number(words[1]))
		return strconv.FormatInt(bytes, 10) + " " + strconv.Itoa(entries)
	}
}
