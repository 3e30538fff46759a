// The newest part of the fork tree: what the node published last, and what its events added since.
// Which blocks are canonical follows from the head and the parents; where a parent is not known,
// from what the node said. Limits: kMaxTreeHeights below the head, kMaxTreeBlocks.

import { kMaxTreeBlocks, kMaxTreeHeights } from '../limits';
import type { Block, ForkTree, Hash, Reorg } from './types';

export interface TreeBlock extends Block {
  /** Empty: not known (yet). */
  readonly parent: Hash;
  readonly canonical: boolean;
  /** It was canonical until a reorganisation. */
  readonly displaced: boolean;
}

const kSpare = 64;

interface Known {
  hash: Hash;
  number: number;
  parent: Hash;
  /** The parent is a guess, until somebody says it. */
  guessed: boolean;
  told: boolean;
  canonical: boolean;
  displaced: boolean;
}

export class BlockTree {
  private readonly known = new Map<Hash, Known>();
  private headBlock: Block | undefined;
  private headTime = 0;
  private cutByNode = false;

  get head(): Block | undefined {
    return this.headBlock;
  }

  /** The node has more blocks of these heights than it tells. */
  get cut(): boolean {
    return this.cutByNode;
  }

  get size(): number {
    return this.known.size;
  }

  get(hash: Hash): TreeBlock | undefined {
    return this.known.get(hash);
  }

  clear(): void {
    this.known.clear();
    this.headBlock = undefined;
    this.headTime = 0;
    this.cutByNode = false;
  }

  /** All blocks, the lowest first, those of one height in the order of their hashes. */
  blocks(): TreeBlock[] {
    return [...this.known.values()].sort(
      (a, b) => a.number - b.number || (a.hash < b.hash ? -1 : 1),
    );
  }

  /** Is there a block whose parent nobody has told? Then it is time to ask for the tree. */
  get incomplete(): boolean {
    for (const b of this.known.values()) if (b.guessed || (b.parent === '' && !b.told)) return true;
    return false;
  }

  /** `taken`: when the node saw it so; a head that an event told later stays. */
  applySnapshot(tree: ForkTree, taken: number): void {
    for (const node of tree.nodes) {
      const b = this.learn(node.hash, node.number, node.parent, false);
      b.told = true;
      b.canonical = node.canonical;
    }
    this.cutByNode = tree.cut;
    if (taken >= this.headTime) this.setHead(tree.head, taken);
    else this.settle();
  }

  learnParent(hash: Hash, number: number, parent: Hash): void {
    this.learn(hash, number, parent, false);
    this.settle();
  }

  applyHead(head: Block, time: number): void {
    if (time < this.headTime) return;
    const onTop =
      this.headBlock && head.number === this.headBlock.number + 1 ? this.headBlock.hash : '';
    if (!this.known.has(head.hash)) this.learn(head.hash, head.number, onTop, onTop !== '');
    this.setHead(head, time);
  }

  applyFork(forkPoint: Hash, branchHead: Block): void {
    const fork = this.known.get(forkPoint);
    const direct = fork && branchHead.number === fork.number + 1;
    this.learn(branchHead.hash, branchHead.number, direct ? forkPoint : '', false);
    this.settle();
  }

  /** Both segments with all parents; the head moves unless it is known to be newer. */
  applyReorg(reorg: Reorg, time: number): void {
    const fork = reorg.newHead.number - reorg.addedCount;
    const current = time >= this.headTime;
    this.learnChain(reorg.removed, reorg.forkPoint, fork, reorg.parts === 1);
    this.learnChain(reorg.added, reorg.forkPoint, fork, reorg.parts === 1);
    for (const hash of reorg.removed) {
      const b = this.known.get(hash);
      if (b) b.displaced = true;
    }
    if (current) this.setHead(reorg.newHead, time);
    else this.settle();
  }

  private learnChain(hashes: readonly Hash[], forkPoint: Hash, fork: number, whole: boolean): void {
    if (!whole) return;
    // What is below the tree's heights would be forgotten at once.
    const first = Math.max(0, hashes.length - kMaxTreeHeights);
    for (let i = first; i < hashes.length; ++i) {
      const hash = hashes[i];
      const parent = i === 0 ? forkPoint : hashes[i - 1];
      if (hash && parent) this.learn(hash, fork + 1 + i, parent, false);
    }
  }

  private learn(hash: Hash, number: number, parent: Hash, guessed: boolean): Known {
    const b = this.known.get(hash);
    if (!b) {
      const made = {
        hash,
        number,
        parent,
        guessed,
        told: false,
        canonical: false,
        displaced: false,
      };
      this.known.set(hash, made);
      return made;
    }
    if (parent !== '' && (b.parent === '' || b.guessed)) {
      b.parent = parent;
      b.guessed = guessed;
    }
    return b;
  }

  private setHead(head: Block, time: number): void {
    this.headBlock = head;
    this.headTime = time;
    this.learn(head.hash, head.number, '', false);
    this.settle();
  }

  private settle(): void {
    this.forget();
    if (!this.headBlock) return;
    const onChain = new Set<Hash>();
    let at = this.known.get(this.headBlock.hash);
    let lowest = this.headBlock.number;
    while (at && !onChain.has(at.hash)) {
      onChain.add(at.hash);
      lowest = at.number;
      at = this.known.get(at.parent);
    }
    for (const b of this.known.values()) {
      if (b.number >= lowest) b.canonical = onChain.has(b.hash);
      if (b.canonical) b.displaced = false;
    }
  }

  private forget(): void {
    const head = this.headBlock;
    if (!head) return;
    for (const b of this.known.values())
      if (b.number + kMaxTreeHeights < head.number) this.known.delete(b.hash);
    if (this.known.size <= kMaxTreeBlocks) return;
    // The farthest from the head goes first, and of equally far ones what is not canonical.
    const far = (b: Known): number => Math.abs(b.number - head.number) * 2 + (b.canonical ? 0 : 1);
    const order = [...this.known.values()].sort((a, b) => far(b) - far(a));
    // Some more than must be, so that not every block of a flood leads here.
    for (const b of order.slice(0, this.known.size - kMaxTreeBlocks + kSpare)) {
      if (b.hash !== head.hash) this.known.delete(b.hash);
    }
  }
}
