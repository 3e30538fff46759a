// ethereumjs_discover: a node of EthereumJS' discv4 on loopback, driven by lines on standard input, one answer in JSON for
// each, as tests/interop/geth/main.go. Nodes are enode URLs: it keeps no records.
//
//   ethereumjs_discover [key=HEX] [port=N] [ENODE...]    the URLs are its boot nodes
//
//   ping ENODE     {"pong": true}
//   ask ENODE      {"nodes": ["enode://…", …]}    FINDNODE for itself, and whom it knows a second later
//   table          {"nodes": ["enode://…", …]}
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import readline from "node:readline";
import { DPT } from "@ethereumjs/devp2p";

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const say = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);
const url = (peer) => `enode://${hex(peer.id)}@${peer.address}:${peer.tcpPort ?? 0}?discport=${peer.udpPort}`;
const SETTLES_MS = 1000;

function parse(text) {
  const match = /^enode:\/\/([0-9a-f]{128})@([0-9.]+):(\d+)(?:\?discport=(\d+))?$/.exec(text);
  if (!match) throw new Error(`no enode URL: ${text}`);
  const udpPort = Number(match[4] ?? match[3]);
  return {
    id: Uint8Array.from(Buffer.from(match[1], "hex")),
    address: match[2],
    // It writes a port of 0 as a byte of 0, which is no number in RLP: nobody, go-ethereum included, reads such a packet.
    tcpPort: Number(match[3]) || udpPort,
    udpPort,
  };
}

function options(words) {
  const out = { boot: [] };
  for (const word of words) {
    const [, name, value] = /^(key|port)=(.*)$/.exec(word) ?? [];
    if (name === undefined) out.boot.push(parse(word));
    else out[name] = value;
  }
  return out;
}

async function listen({ key, port: wanted, boot }) {
  const dpt = new DPT(Uint8Array.from(key ? Buffer.from(key, "hex") : randomBytes(32)), {
    endpoint: { address: "127.0.0.1", udpPort: null, tcpPort: null },
    refreshInterval: 3_600_000,
    shouldGetDnsPeers: false,
  });
  dpt.events.on("error", () => {});
  const listening = once(dpt.events, "listening");
  dpt.bind(Number(wanted ?? 0), "127.0.0.1");
  await listening;
  const { port } = dpt._server._socket.address();
  dpt._server._localEndpoint = dpt._server._endpoint = { address: "127.0.0.1", udpPort: port, tcpPort: port };
  for (const node of boot) dpt.bootstrap(node);
  return { dpt, port };
}

async function answer(dpt, [command, what]) {
  switch (command) {
    case "table":
      return { nodes: dpt.getPeers().map(url) };
    case "ping": {
      const peer = await dpt._server.ping(parse(what)); // addPeer() asks nobody whom it knows
      return { pong: hex(peer.id) === hex(parse(what).id) };
    }
    case "ask": {
      const peer = await dpt.addPeer(parse(what));
      dpt._server.findneighbours(peer, dpt.id);
      await new Promise((resolve) => setTimeout(resolve, SETTLES_MS));
      return { nodes: dpt.getPeers().map(url) };
    }
    default:
      return { error: `no such command: ${command}` };
  }
}

const { dpt, port } = await listen(options(process.argv.slice(2)));
say({ enode: `enode://${hex(dpt.id)}@127.0.0.1:${port}` });
for await (const line of readline.createInterface({ input: process.stdin })) {
  say(await answer(dpt, line.trim().split(/\s+/)).catch((error) => ({ error: String(error.message ?? error) })));
}
dpt.destroy();
process.exit(0);
