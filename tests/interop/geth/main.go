// geth_discover: a node of go-ethereum's p2p/discover on loopback, driven by lines on standard
// input, one answer in JSON for each. It is the judge of our discv5 and discv4 in tests/interop.
//
//	geth_discover v5|v4 [key=HEX] [port=N] [RECORD...]    the records are its boot nodes
//
//	ping RECORD        {"pong": true}
//	record RECORD      {"record": "enr:…"}
//	talk RECORD HEX    {"response": "…"}           (v5, protocol "ethnet-test")
//	lookup ID          {"nodes": ["enr:…", …]}     (v5)
//	lookup KEY         {"urls": ["enode://…", …]}  (v4: not every node there has a record)
//	table              {"nodes": ["enr:…", …]}     whom it knows and has seen alive
package main

import (
	"bufio"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/p2p/discover"
	"github.com/ethereum/go-ethereum/p2p/discover/v4wire"
	"github.com/ethereum/go-ethereum/p2p/enode"
)

const protocol = "ethnet-test"

// What both protocols can.
type network interface {
	Ping(*enode.Node) (any, error)
	RequestENR(*enode.Node) (*enode.Node, error)
	AllNodes() []*enode.Node
	Close()
}

type v4 struct{ *discover.UDPv4 }

func (n v4) Ping(node *enode.Node) (any, error) { return n.UDPv4.Ping(node) }

func (n v4) AllNodes() []*enode.Node {
	var out []*enode.Node
	for _, bucket := range n.TableBuckets() {
		for _, entry := range bucket {
			if entry.Live {
				out = append(out, entry.Node)
			}
		}
	}
	return out
}

type v5 struct{ *discover.UDPv5 }

func (n v5) Ping(node *enode.Node) (any, error) { return n.UDPv5.Ping(node) }

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "geth_discover:", err)
		os.Exit(1)
	}
}

type options struct {
	key  *ecdsa.PrivateKey
	port int // 0: any
	boot []*enode.Node
}

func parse(words []string) (o options) {
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		var err error
		switch name {
		case "key":
			o.key, err = crypto.HexToECDSA(value)
		case "port":
			o.port, err = strconv.Atoi(value)
		default:
			var node *enode.Node
			node, err = enode.Parse(enode.ValidSchemes, word)
			o.boot = append(o.boot, node)
		}
		fail(err)
	}
	if o.key == nil {
		var err error
		o.key, err = crypto.GenerateKey()
		fail(err)
	}
	return o
}

func listen(version string, o options) (network, *enode.LocalNode) {
	database, err := enode.OpenDB("")
	fail(err)
	local := enode.NewLocalNode(database, o.key)
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: o.port})
	fail(err)
	local.SetStaticIP(net.IPv4(127, 0, 0, 1))
	local.SetFallbackUDP(socket.LocalAddr().(*net.UDPAddr).Port)
	config := discover.Config{PrivateKey: o.key, Bootnodes: o.boot}
	if version == "v4" {
		n, err := discover.ListenV4(socket, local, config)
		fail(err)
		return v4{n}, local
	}
	n, err := discover.ListenV5(socket, local, config)
	fail(err)
	n.RegisterTalkHandler(protocol, func(_ *enode.Node, _ *net.UDPAddr, request []byte) []byte {
		return append([]byte("heard "), request...)
	})
	return v5{n}, local
}

func texts(nodes []*enode.Node) []string {
	out := []string{}
	for _, node := range nodes {
		out = append(out, node.String())
	}
	return out
}

func urls(nodes []*enode.Node) []string {
	out := []string{}
	for _, node := range nodes {
		out = append(out, node.URLv4())
	}
	return out
}

func lookup(n network, target string) (any, error) {
	raw, err := hex.DecodeString(target)
	if err != nil {
		return nil, err
	}
	switch n := n.(type) {
	case v5:
		return map[string]any{"nodes": texts(n.Lookup(enode.ID(raw)))}, nil
	case v4:
		var key v4wire.Pubkey
		copy(key[:], raw)
		public, err := v4wire.DecodePubkey(crypto.S256(), key)
		if err != nil {
			return nil, err
		}
		return map[string]any{"urls": urls(n.LookupPubkey((*ecdsa.PublicKey)(public)))}, nil
	}
	return nil, fmt.Errorf("no such network")
}

func answer(n network, words []string) (any, error) {
	if words[0] == "table" {
		return map[string]any{"nodes": texts(n.AllNodes())}, nil
	}
	if len(words) < 2 {
		return nil, fmt.Errorf("%s: of what?", words[0])
	}
	if words[0] == "lookup" {
		return lookup(n, words[1])
	}
	node, err := enode.Parse(enode.ValidSchemes, words[1])
	if err != nil {
		return nil, err
	}
	switch words[0] {
	case "ping":
		_, err := n.Ping(node)
		return map[string]any{"pong": err == nil}, err
	case "record":
		record, err := n.RequestENR(node)
		if err != nil {
			return nil, err
		}
		return map[string]any{"record": record.String()}, nil
	case "talk":
		request, err := hex.DecodeString(words[2])
		if err != nil {
			return nil, err
		}
		response, err := n.(v5).TalkRequest(node, protocol, request)
		return map[string]any{"response": hex.EncodeToString(response)}, err
	}
	return nil, fmt.Errorf("no such command: %s", words[0])
}

func main() {
	n, local := listen(os.Args[1], parse(os.Args[2:]))
	defer n.Close()
	out := json.NewEncoder(os.Stdout)
	fail(out.Encode(map[string]any{
		"record": local.Node().String(), "enode": local.Node().URLv4(), "id": local.ID().String()}))
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		told, err := answer(n, strings.Fields(lines.Text()))
		if err != nil {
			told = map[string]any{"error": err.Error()}
		}
		fail(out.Encode(told))
	}
}
