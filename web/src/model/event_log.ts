// The events as lines, the newest first. Limit: kMaxLogEntries, of which the oldest go first.

import { kMaxLogEntries } from '../limits';
import { count, plural, probability, shortHash } from '../format';
import type { EventKind, NodeEvent } from './types';

export const logKinds = ['head', 'reorg', 'fork', 'peer', 'data', 'gap'] as const;
export type LogKind = (typeof logKinds)[number];

export interface LogEntry {
  /** Counts up on this page; cursors begin again when a node does. */
  readonly key: number;
  readonly cursor: number;
  readonly time: number;
  readonly kind: LogKind;
  readonly text: string;
  /** Of a reorganisation. */
  readonly reorg?: number;
}

export interface LogFilter {
  readonly kinds: ReadonlySet<LogKind>;
  readonly words: string;
}

export class EventLog {
  private entries: LogEntry[] = [];
  private nextKey = 1;

  get size(): number {
    return this.entries.length;
  }

  add(event: NodeEvent): void {
    const line = describe(event.what);
    this.push({ cursor: event.cursor, time: event.time, ...line });
  }

  /** Something that the page has to say itself. */
  mark(time: number, cursor: number, text: string): void {
    this.push({ cursor, time, kind: 'gap', text });
  }

  newestFirst(filter: LogFilter): LogEntry[] {
    const words = filter.words.toLowerCase().split(/\s+/).filter(Boolean);
    return this.entries
      .filter(
        (e) => filter.kinds.has(e.kind) && words.every((w) => e.text.toLowerCase().includes(w)),
      )
      .reverse();
  }

  private push(entry: Omit<LogEntry, 'key'>): void {
    this.entries.push({ key: this.nextKey++, ...entry });
    if (this.entries.length > kMaxLogEntries) this.entries = this.entries.slice(-kMaxLogEntries);
  }
}

export function describe(what: EventKind): { kind: LogKind; text: string; reorg?: number } {
  switch (what.kind) {
    case 'gap':
      return {
        kind: 'gap',
        text: `${plural(what.missed, 'event')} missed: the node has them no more`,
      };
    case 'head':
      return { kind: 'head', text: `head ${count(what.head.number)} ${shortHash(what.head.hash)}` };
    case 'reorg': {
      const r = what.reorg;
      const part = r.parts > 1 ? ` (part ${r.part + 1} of ${r.parts})` : '';
      return {
        kind: 'reorg',
        reorg: r.id,
        text:
          `reorganisation ${r.id}: depth ${count(r.depth)} at ${shortHash(r.forkPoint)}, ` +
          `−${count(r.removedCount)} +${count(r.addedCount)}, head ${count(r.newHead.number)} ` +
          `${shortHash(r.newHead.hash)}${r.cause ? `, because ${r.cause}` : ''}${part}`,
      };
    }
    case 'fork':
      return {
        kind: 'fork',
        text:
          `fork at ${shortHash(what.forkPoint)}, branch ${count(what.branchHead.number)} ` +
          `${shortHash(what.branchHead.hash)}${what.cause ? `, because ${what.cause}` : ''}`,
      };
    case 'joined':
      return {
        kind: 'peer',
        text:
          `${shortHash(what.id)} joined ${what.direction === 'in' ? 'from' : 'at'} ${what.address}` +
          (what.client ? ` · ${what.client}` : ''),
      };
    case 'left':
      return {
        kind: 'peer',
        text: `${shortHash(what.id)} left ${what.byPeer ? 'by itself' : 'by us'}: ${what.reason}`,
      };
    case 'verdict': {
      const v = what.verdict;
      const confidence = v.confidence === undefined ? 'unknown' : v.confidence.toFixed(3);
      return {
        kind: 'data',
        text:
          `data ${shortHash(v.dataId)}: ${v.received} of ${v.requested} chunks, confidence ${confidence}, ` +
          `fooled with ${probability(v.fooled)}`,
      };
    }
  }
}
