// What a node tells, after decode.ts has judged it. Times are milliseconds of the Unix epoch.

export type Hash = string;

export interface Block {
  readonly hash: Hash;
  readonly number: number;
}

export interface Summary {
  readonly nodeId: string;
  readonly client: string;
  readonly enode: string;
  readonly chainId: number;
  readonly head: Block;
  readonly earliest: number;
  readonly activePeers: number;
  readonly discoveredPeers: number;
  readonly syncHeight: number;
  readonly syncing: boolean;
  readonly switches: number;
  readonly dataSets: number;
  readonly cursor: number;
  readonly started: number;
  readonly taken: number;
}

export type Direction = 'in' | 'out' | 'unknown';

export interface Peer {
  readonly id: string;
  readonly capabilities: readonly string[];
  readonly direction: Direction;
  readonly address: string;
  /** Absent: not measured yet. */
  readonly rttMs?: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly score: number;
  readonly client: string;
  readonly ageMs: number;
  readonly visit: boolean;
}

export interface TreeNode extends Block {
  readonly parent: Hash;
  readonly canonical: boolean;
}

export interface ForkTree {
  readonly head: Block;
  readonly nodes: readonly TreeNode[];
  readonly cut: boolean;
}

export interface Reorg {
  readonly id: number;
  readonly newHead: Block;
  readonly oldHead: Hash;
  readonly forkPoint: Hash;
  readonly depth: number;
  readonly removed: readonly Hash[];
  readonly added: readonly Hash[];
  readonly removedCount: number;
  readonly addedCount: number;
  readonly cause: string;
  readonly part: number;
  readonly parts: number;
}

export interface ReorgEntry {
  readonly time: number;
  readonly cursor: number;
  readonly reorg: Reorg;
}

export interface Verdict {
  readonly dataId: Hash;
  readonly requested: number;
  readonly received: number;
  /** Absent: nothing was requested. */
  readonly confidence?: number;
  readonly fooled: number;
  readonly automatic: boolean;
}

export const chunkStates = ['UNKNOWN', 'WANTED', 'ASKED', 'HELD', 'MISSING'] as const;
export type ChunkState = (typeof chunkStates)[number];

export interface DataSet {
  readonly id: Hash;
  readonly totalChunks: number;
  readonly chunkSize: number;
  readonly totalBytes: number;
  readonly held: number;
  readonly whole: boolean;
  readonly pinned: boolean;
  readonly sampling: boolean;
  readonly announcers: number;
  readonly verdict?: Verdict;
  /** Empty: the node does not say. */
  readonly chunks: readonly ChunkState[];
}

export interface Refusal {
  readonly reason: string;
  readonly inbound: number;
  readonly outbound: number;
}

export type EventKind =
  | { readonly kind: 'gap'; readonly missed: number }
  | { readonly kind: 'head'; readonly head: Block }
  | { readonly kind: 'reorg'; readonly reorg: Reorg }
  | {
      readonly kind: 'fork';
      readonly forkPoint: Hash;
      readonly branchHead: Block;
      readonly cause: string;
    }
  | {
      readonly kind: 'joined';
      readonly id: string;
      readonly address: string;
      readonly direction: Direction;
      readonly client: string;
    }
  | {
      readonly kind: 'left';
      readonly id: string;
      readonly reason: string;
      readonly byPeer: boolean;
    }
  | { readonly kind: 'verdict'; readonly verdict: Verdict };

export interface NodeEvent {
  readonly cursor: number;
  readonly time: number;
  readonly what: EventKind;
}
