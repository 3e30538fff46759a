package main

import (
	"crypto/ecdsa"
	crand "crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"

	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/p2p/discover/v5wire"
	"github.com/ethereum/go-ethereum/p2p/enode"
	"github.com/ethereum/go-ethereum/p2p/enr"
	"github.com/ethereum/go-ethereum/rlp"
)

// A node's codec of discv5 packets, and the node at the other end of the pipe, which is ours.
//
//	v5.new KEY         its codec; answers its record
//	v5.peer RECORD     ours; answers ok
//	v5.feed HEX        a packet of ours: answers the WHOAREYOU or the handshake that it asks for, or the message
//	v5.contact         a packet that asks ours for a challenge
//	v5.handshakes N    N handshakes of strangers decoded and verified; answers nanoseconds of CPU time
//
// Time stands still for it, so that no challenge is over.

const ourAddress = "127.0.0.1:9000"

type endpoint struct {
	key   *ecdsa.PrivateKey
	local *enode.LocalNode
	codec *v5wire.Codec
}

var (
	theirs endpoint
	ours   *enode.Node
	asked  *v5wire.Whoareyou
)

// In memory, and of all of them: what it holds is no part of a session or of a table.
var database = sync.OnceValue(func() *enode.DB {
	opened, err := enode.OpenDB("")
	must(err)
	return opened
})

func newEndpoint(key *ecdsa.PrivateKey) endpoint {
	local := enode.NewLocalNode(database(), key)
	local.SetStaticIP(net.IPv4(127, 0, 0, 1))
	local.SetFallbackUDP(9001)
	return endpoint{key, local, v5wire.NewCodec(local, key, new(mclock.Simulated), nil)}
}

func thePing() *v5wire.Ping { return &v5wire.Ping{ReqID: []byte{1, 2, 3, 4, 5, 6, 7, 8}, ENRSeq: 1} }

func plaintext(packet v5wire.Packet) []byte {
	body, err := rlp.EncodeToBytes(packet)
	must(err)
	return append([]byte{packet.Kind()}, body...)
}

func (e endpoint) encode(to enode.ID, address string, packet v5wire.Packet, challenge *v5wire.Whoareyou) []byte {
	out, _, err := e.codec.Encode(to, address, packet, challenge)
	must(err)
	return slices.Clone(out)
}

func feed(packet []byte) []byte {
	source, _, got, err := theirs.codec.Decode(packet, ourAddress)
	must(err)
	switch got := got.(type) {
	case *v5wire.Unknown:
		challenge := &v5wire.Whoareyou{Nonce: got.Nonce}
		_, err := crand.Read(challenge.IDNonce[:])
		must(err)
		return theirs.encode(source, ourAddress, challenge, nil)
	case *v5wire.Whoareyou:
		got.Node = ours
		return theirs.encode(ours.ID(), ourAddress, thePing(), got)
	}
	return plaintext(got)
}

func v5Decode(data []byte) work {
	return func(i uint64) []byte {
		_, _, packet, err := theirs.codec.Decode(data, ourAddress)
		must(err)
		if i > 0 {
			return nil
		}
		if packet.Kind() == v5wire.UnknownPacket {
			must(fmt.Errorf("there is no session"))
		}
		return plaintext(packet)
	}
}

func v5Encode([]byte) work {
	ping := thePing()
	return func(uint64) []byte {
		packet, _, err := theirs.codec.Encode(ours.ID(), ourAddress, ping, nil)
		must(err)
		return packet
	}
}

// One initiator; a place of its own for each handshake, since there a challenge waits.
func handshakes(count uint64) int64 {
	key, err := crypto.GenerateKey()
	must(err)
	initiator := newEndpoint(key)
	packets, places := make([][]byte, count), make([]string, count)
	for i := range packets {
		places[i] = "127.0.0.1:" + strconv.Itoa(10000+i)
		challenge := new(v5wire.Whoareyou)
		_, err := crand.Read(challenge.IDNonce[:])
		must(err)
		sent := theirs.encode(initiator.local.ID(), places[i], challenge, nil)
		_, _, got, err := initiator.codec.Decode(sent, ourAddress)
		must(err)
		got.(*v5wire.Whoareyou).Node = theirs.local.Node()
		packets[i] = initiator.encode(theirs.local.ID(), ourAddress, thePing(), got.(*v5wire.Whoareyou))
	}
	start := cpuTime()
	for i := range packets {
		_, node, _, err := theirs.codec.Decode(packets[i], places[i])
		must(err)
		if node == nil {
			must(fmt.Errorf("no handshake"))
		}
	}
	return cpuTime() - start
}

func init() {
	commands["v5.new"] = func(words []string) string {
		key, err := crypto.ToECDSA(unhex(words[1]))
		must(err)
		theirs = newEndpoint(key)
		record, err := rlp.EncodeToBytes(theirs.local.Node().Record())
		must(err)
		return hex.EncodeToString(record)
	}
	commands["v5.peer"] = func(words []string) string {
		var record enr.Record
		must(rlp.DecodeBytes(unhex(words[1]), &record))
		node, err := enode.New(enode.ValidSchemes, &record)
		must(err)
		ours = node
		return "ok"
	}
	commands["v5.feed"] = func(words []string) string { return hex.EncodeToString(feed(unhex(words[1]))) }
	commands["v5.contact"] = func([]string) string {
		theirs.codec = v5wire.NewCodec(theirs.local, theirs.key, new(mclock.Simulated), nil)
		return hex.EncodeToString(theirs.encode(ours.ID(), ourAddress, thePing(), nil))
	}
	commands["v5.handshakes"] = func(words []string) string {
		return strconv.FormatInt(handshakes(number(words[1])), 10)
	}
}
