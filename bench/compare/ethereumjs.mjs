// EthereumJS' side of the comparisons: packets of discv4, from the version that tests/interop/ethereumjs pins.
import { decode } from "../../tests/interop/ethereumjs/node_modules/@ethereumjs/devp2p/dist/esm/dpt/message.js";
import { serve } from "./lines.mjs";

// The public key of who sent it, without the prefix 04.
const sender = (packet) => {
  const { typename, publicKey } = decode(packet);
  if (typename !== "ping") throw new Error(`a ${typename}`);
  return publicKey.subarray(publicKey.length - 64);
};

await serve({ v4_ping_decode: { items: (data) => [data], work: sender, agree: ([packet]) => sender(packet) } });
