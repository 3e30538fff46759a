// chainsafe_discover: a node of ChainSafe's discv5 on loopback, driven by lines on standard input, one answer in JSON for
// each, as tests/interop/geth/main.go.
//
//   chainsafe_discover [key=HEX] [port=N] [RECORD...]    the records are its boot nodes
//
//   ping RECORD        {"pong": true}
//   record RECORD      {"record": "enr:…"}
//   talk RECORD HEX    {"response": "…"}
//   lookup ID          {"nodes": ["enr:…", …], "told": ["enr:…", …]}    told: every record that came up on the way. Its
//                      users listen to these: "nodes" are some that answered, not those nearest to ID (its order is by
//                      `b - a ? -1 : 1`, true for any two).
//   table              {"nodes": ["enr:…", …]}
import dgram from "node:dgram";
import readline from "node:readline";
import { Discv5 } from "@chainsafe/discv5";
import { ENR, SignableENR } from "@chainsafe/enr";
import { generateKeyPair, privateKeyFromRaw } from "@libp2p/crypto/keys";
import { multiaddr } from "@multiformats/multiaddr";

const PROTOCOL = "ethnet-test";
const say = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);

async function freePort() {
  const socket = dgram.createSocket("udp4");
  await new Promise((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

function parse(words) {
  const options = { boot: [] };
  for (const word of words) {
    const [, name, value] = /^(key|port)=(.*)$/.exec(word) ?? [];
    if (name === undefined) options.boot.push(word);
    else options[name] = value;
  }
  return options;
}

async function listen({ key, port: wanted, boot }) {
  const privateKey = key ? privateKeyFromRaw(Buffer.from(key, "hex")) : await generateKeyPair("secp256k1");
  const enr = SignableENR.createFromPrivateKey(privateKey);
  const port = Number(wanted) || (await freePort());
  enr.seq = BigInt(Date.now()); // greater than that of a run before
  enr.ip = "127.0.0.1";
  enr.udp = port;
  const node = Discv5.create({
    enr,
    privateKey,
    bindAddrs: { ip4: multiaddr(`/ip4/127.0.0.1/udp/${port}`) },
    config: { enrUpdate: false, allowUnverifiedSessions: true },
  });
  node.on("talkReqReceived", (from, record, request) => {
    const known = Buffer.from(request.protocol).toString() === PROTOCOL;
    const response = known ? Buffer.concat([Buffer.from("heard "), Buffer.from(request.request)]) : Buffer.alloc(0);
    node.sendTalkResp(from, request.id, response);
  });
  for (const text of boot) node.addEnr(text);
  await node.start();
  return node;
}

async function lookUp(node, target) {
  const told = new Set();
  const note = (record) => told.add(record.encodeTxt());
  node.on("discovered", note);
  const nodes = await node.findNode(target);
  node.off("discovered", note);
  return { nodes: nodes.map((record) => record.encodeTxt()), told: [...told] };
}

async function answer(node, [command, what, hex]) {
  const texts = (records) => ({ nodes: records.map((record) => record.encodeTxt()) });
  switch (command) {
    case "table":
      return texts(node.kadValues());
    case "lookup":
      return lookUp(node, what);
    case "ping":
      return { pong: (await node.sendPing(ENR.decodeTxt(what))) !== undefined };
    case "record": {
      const records = await node.sendFindNode(ENR.decodeTxt(what), [0]);
      return { record: records[0].encodeTxt() };
    }
    case "talk": {
      const response = await node.sendTalkReq(ENR.decodeTxt(what), Buffer.from(hex, "hex"), PROTOCOL);
      return { response: Buffer.from(response).toString("hex") };
    }
    default:
      return { error: `no such command: ${command}` };
  }
}

const node = await listen(parse(process.argv.slice(2)));
say({ record: node.enr.encodeTxt(), id: node.enr.nodeId });
for await (const line of readline.createInterface({ input: process.stdin })) {
  say(await answer(node, line.trim().split(/\s+/)).catch((error) => ({ error: String(error.message ?? error) })));
}
await node.stop();
process.exit(0);
