// From what came over the wire to types.ts. Nothing is believed: a field of another type, a hash
// that is none, a number that is not finite gives undefined, and the caller counts it; lists and
// texts are cut to their limits.

import {
  kMaxCapabilities,
  kMaxChunks,
  kMaxDataSets,
  kMaxPeers,
  kMaxRefusals,
  kMaxTextChars,
  kMaxTreeBlocks,
} from '../limits';
import {
  chunkStates,
  type Block,
  type ChunkState,
  type DataSet,
  type Direction,
  type EventKind,
  type ForkTree,
  type Hash,
  type NodeEvent,
  type Peer,
  type Refusal,
  type Reorg,
  type ReorgEntry,
  type Summary,
  type TreeNode,
  type Verdict,
} from './types';

type Fields = Record<string, unknown>;

const kNsPerMs = 1e6;
const kHash = /^0x[0-9a-f]{64}$/;
const kZeroHash = `0x${'0'.repeat(64)}`;
// Controls, and what makes text run the other way or hides in it.
const kUnprintable =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

function fields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : undefined;
}

function list(value: unknown, most: number): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, most) : [];
}

function every<T>(values: readonly unknown[], decode: (value: unknown) => T | undefined): T[] {
  return values.map(decode).filter((value): value is T => value !== undefined);
}

export function text(value: unknown): string {
  if (typeof value !== 'string') return '';
  const printable = value.slice(0, kMaxTextChars).replace(kUnprintable, '\ufffd');
  return value.length > kMaxTextChars ? `${printable}…` : printable;
}

export function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0;
}

function hash(value: unknown): Hash | undefined {
  return typeof value === 'string' && kHash.test(value) ? value : undefined;
}

function block(value: unknown): Block | undefined {
  const f = fields(value);
  const h = hash(f?.hash);
  return f && h ? { hash: h, number: number(f.number) } : undefined;
}

function direction(value: unknown): Direction {
  if (value === 'INBOUND') return 'in';
  return value === 'OUTBOUND' ? 'out' : 'unknown';
}

export function decodeSummary(value: unknown): Summary | undefined {
  const f = fields(value);
  const head = block(f?.canonical_head);
  if (!f || !head) return undefined;
  return {
    nodeId: hash(f.node_id) ?? '',
    client: text(f.client),
    enode:
      typeof f.enode === 'string' && f.enode.length < 400
        ? f.enode.replace(kUnprintable, '\ufffd')
        : '',
    chainId: number(f.chain_id),
    head,
    earliest: number(f.earliest_block),
    activePeers: number(f.active_peers),
    discoveredPeers: number(f.discovered_peers),
    syncHeight: number(f.sync_height),
    syncing: f.syncing === true,
    switches: number(f.canonical_switches),
    dataSets: number(f.data_sets),
    cursor: number(f.cursor),
    started: number(f.started_unix_ns) / kNsPerMs,
    taken: number(f.taken_unix_ns) / kNsPerMs,
  };
}

function decodePeer(value: unknown): Peer | undefined {
  const f = fields(value);
  const id = hash(f?.id);
  if (!f || !id) return undefined;
  const rtt = number(f.rtt_ns) / kNsPerMs;
  return {
    id,
    capabilities: [...new Set(list(f.capabilities, kMaxCapabilities).map(text))],
    direction: direction(f.direction),
    address: text(f.address),
    ...(rtt > 0 ? { rttMs: rtt } : {}),
    bytesIn: number(f.bytes_in),
    bytesOut: number(f.bytes_out),
    score: number(f.score),
    client: text(f.client),
    ageMs: number(f.age_ns) / kNsPerMs,
    visit: f.visit === true,
  };
}

export function decodePeers(value: unknown): { peers: Peer[]; total: number } {
  const all = fields(value)?.peers;
  return {
    peers: every(list(all, kMaxPeers), decodePeer),
    total: Array.isArray(all) ? all.length : 0,
  };
}

function decodeTreeNode(value: unknown): TreeNode | undefined {
  const f = fields(value);
  const b = block(value);
  if (!f || !b) return undefined;
  const parent = hash(f.parent) ?? '';
  return { ...b, parent: parent === kZeroHash ? '' : parent, canonical: f.canonical === true };
}

export function decodeForkTree(value: unknown): ForkTree | undefined {
  const f = fields(value);
  const head = block(f?.head);
  if (!f || !head) return undefined;
  // Newest last: what does not fit is the oldest.
  const nodes = Array.isArray(f.nodes) ? f.nodes.slice(-kMaxTreeBlocks) : [];
  return { head, nodes: every(nodes, decodeTreeNode), cut: f.cut === true };
}

function hashes(value: unknown): Hash[] {
  return every(Array.isArray(value) ? value : [], hash);
}

export function decodeReorg(value: unknown): Reorg | undefined {
  const f = fields(value);
  const newHead = block(f?.new_head);
  const forkPoint = hash(f?.fork_point);
  if (!f || !newHead || !forkPoint) return undefined;
  const removed = hashes(f.removed);
  const added = hashes(f.added);
  return {
    id: number(f.reorg),
    newHead,
    oldHead: hash(f.old_head) ?? '',
    forkPoint,
    depth: number(f.depth),
    removed,
    added,
    removedCount: Math.max(number(f.removed_count), removed.length),
    addedCount: Math.max(number(f.added_count), added.length),
    cause: text(f.cause),
    part: number(f.part),
    parts: Math.max(1, number(f.parts)),
  };
}

export function decodeReorgs(value: unknown): { entries: ReorgEntry[]; total: number } {
  const f = fields(value);
  const entries = every(list(f?.reorgs, 256), (entry): ReorgEntry | undefined => {
    const e = fields(entry);
    const reorg = decodeReorg(e?.reorg);
    return e && reorg
      ? { time: number(e.time_unix_ns) / kNsPerMs, cursor: number(e.cursor), reorg }
      : undefined;
  });
  return { entries, total: number(f?.total) };
}

function decodeVerdict(value: unknown): Verdict | undefined {
  const f = fields(value);
  const dataId = hash(f?.data_id);
  if (!f || !dataId) return undefined;
  return {
    dataId,
    requested: number(f.requested),
    received: number(f.received),
    ...(typeof f.confidence === 'number' ? { confidence: Math.min(1, number(f.confidence)) } : {}),
    fooled: Math.min(1, number(f.fooled_probability)),
    automatic: f.automatic === true,
  };
}

function chunkState(value: unknown): ChunkState {
  return chunkStates.find((state) => state === value) ?? 'UNKNOWN';
}

function decodeDataSet(value: unknown): DataSet | undefined {
  const f = fields(value);
  const id = hash(f?.data_id);
  if (!f || !id) return undefined;
  const verdict = decodeVerdict(f.verdict);
  return {
    id,
    totalChunks: number(f.total_chunks),
    chunkSize: number(f.chunk_size),
    totalBytes: number(f.total_bytes),
    held: number(f.held),
    whole: f.whole === true,
    pinned: f.pinned === true,
    sampling: f.sampling === true,
    announcers: number(f.announcers),
    ...(verdict ? { verdict } : {}),
    chunks: list(f.chunks, kMaxChunks).map(chunkState),
  };
}

export function decodeDataSets(value: unknown): { sets: DataSet[]; total: number } {
  const all = fields(value)?.data_sets;
  return {
    sets: every(list(all, kMaxDataSets), decodeDataSet),
    total: Array.isArray(all) ? all.length : 0,
  };
}

/** Of all counters, "session.refused.REASON.inbound" and ".outbound", by reason, the most frequent
 * first. */
export function decodeRefusals(value: unknown): Refusal[] {
  const found = new Map<string, { inbound: number; outbound: number }>();
  for (const [name, count] of Object.entries(fields(value) ?? {})) {
    const parts = /^session\.refused\.([a-z0-9_]{1,64})\.(inbound|outbound)$/.exec(name);
    if (!parts?.[1] || number(count) === 0) continue;
    const entry = found.get(parts[1]) ?? { inbound: 0, outbound: 0 };
    entry[parts[2] === 'inbound' ? 'inbound' : 'outbound'] = number(count);
    found.set(parts[1], entry);
  }
  return [...found]
    .map(([reason, counts]) => ({ reason, ...counts }))
    .sort(
      (a, b) => b.inbound + b.outbound - a.inbound - a.outbound || a.reason.localeCompare(b.reason),
    )
    .slice(0, kMaxRefusals);
}

function decodeKind(f: Fields): EventKind | undefined {
  const gap = fields(f.gap);
  if (gap) return { kind: 'gap', missed: number(gap.missed) };
  const head = block(fields(f.canonical_head)?.head);
  if (head) return { kind: 'head', head };
  const reorg = decodeReorg(f.reorg);
  if (reorg) return { kind: 'reorg', reorg };
  const fork = fields(f.fork_detected);
  const branchHead = block(fork?.branch_head);
  if (fork && branchHead) {
    return {
      kind: 'fork',
      forkPoint: hash(fork.fork_point) ?? '',
      branchHead,
      cause: text(fork.cause),
    };
  }
  const joined = fields(f.peer_joined);
  if (joined) {
    return {
      kind: 'joined',
      id: hash(joined.id) ?? '',
      address: text(joined.address),
      direction: direction(joined.direction),
      client: text(joined.client),
    };
  }
  const left = fields(f.peer_left);
  if (left)
    return {
      kind: 'left',
      id: hash(left.id) ?? '',
      reason: text(left.reason),
      byPeer: left.by_peer === true,
    };
  const verdict = decodeVerdict(f.das_verdict);
  return verdict ? { kind: 'verdict', verdict } : undefined;
}

export function decodeEvent(value: unknown): NodeEvent | undefined {
  const f = fields(value);
  const what = f && decodeKind(f);
  return what
    ? { cursor: number(f.cursor), time: number(f.time_unix_ns) / kNsPerMs, what }
    : undefined;
}

/** Of newHeads, whose numbers are hexadecimal. */
export function decodeNewHead(value: unknown): (Block & { parent: Hash }) | undefined {
  const f = fields(value);
  const h = hash(f?.hash);
  if (!f || !h || typeof f.number !== 'string' || !/^0x[0-9a-f]{1,13}$/.test(f.number))
    return undefined;
  return { hash: h, number: Number.parseInt(f.number, 16), parent: hash(f.parentHash) ?? '' };
}
