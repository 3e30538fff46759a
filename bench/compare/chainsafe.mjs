// ChainSafe's side of the comparisons: its records, from the version that tests/interop/chainsafe pins.
import { ENR } from "../../tests/interop/chainsafe/node_modules/@chainsafe/enr/lib/index.js";
import { keccak256 } from "../../tests/interop/chainsafe/node_modules/ethereum-cryptography/keccak.js";
import { digestOfAll, itemsOf, serve } from "./lines.mjs";

// decode() judges the signature, too.
const nodeId = (record) => Buffer.from(ENR.decode(record).nodeId, "hex");

await serve({
  enr_decode_verify: {
    items: itemsOf,
    work: nodeId,
    agree: (items) => digestOfAll(keccak256, items, nodeId),
  },
});
