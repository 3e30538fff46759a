// The protocol of the drivers, for those in JavaScript; geth/main.go says what its lines mean.
import readline from "node:readline";

const CHECKED = 600; // items whose digest both sides have to agree on

export const hex = (bytes) => Buffer.from(bytes).toString("hex");

// The items of `data`, one RLP list after another.
export function itemsOf(data) {
  const items = [];
  for (let at = 0; at < data.length; ) {
    const first = data[at];
    if (first < 0xc0) throw new Error("not a list");
    const long = Math.max(0, first - 0xf7);
    const size = long === 0 ? first - 0xc0 : data.readUIntBE(at + 1, long);
    items.push(data.subarray(at, at + 1 + long + size));
    at += 1 + long + size;
  }
  return items;
}

// What an area that has several items has to agree on: the digest of what comes of all.
export function digestOfAll(keccak, items, work) {
  const all = [];
  for (let i = 0; i < CHECKED; ++i) all.push(Buffer.from(work(items[i % items.length])));
  return keccak(Buffer.concat(all));
}

// `areas`: name to {items(data), work(item), agree(items)}.
export async function serve(areas) {
  const loaded = new Map();
  const answer = ([command, name, what, count]) => {
    if (command === "load") {
      loaded.set(name, Buffer.from(what, "hex"));
      return "ok";
    }
    const area = areas[name];
    if (area === undefined) return `error no such area: ${name}`;
    const items = area.items(loaded.get(what));
    if (command === "check") return hex(area.agree(items));
    if (command !== "run") return `error not a command: ${command}`;
    const start = process.cpuUsage();
    for (let i = 0; i < Number(count); ++i) area.work(items[i % items.length]);
    const { user, system } = process.cpuUsage(start);
    return String((user + system) * 1000);
  };
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${answer(line.trim().split(/\s+/))}\n`);
  }
}
