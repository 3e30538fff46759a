// The fork tree as it grows, or the replay of a reorganisation in its place.

import { count, plural, shortHash } from '../format';
import { layoutTree } from '../layout/tree_layout';
import { neighbour, type Way } from '../layout/neighbour';
import type { TreeBlock } from '../model/block_tree';
import type { Model } from '../model/model';
import { makeReplay, type Frame, type Replay } from '../model/replay';
import type { Hash } from '../model/types';
import { byId, setAttr, setText } from '../ui/dom';
import { ReplayBar } from './replay_bar';
import { TreeSvg, columnX, kColumnWidth, widthOf, type Look, type TreeView } from './tree_svg';

const kMargin = 2 * kColumnWidth; // between the head and the edge
const kByHand = 60; // pixels: the reader scrolled

const kWays: Readonly<Record<string, Way>> = {
  ArrowLeft: 'back',
  ArrowRight: 'on',
  ArrowUp: 'up',
  ArrowDown: 'down',
  Home: 'first',
  End: 'last',
};

export class TreePanel {
  private readonly svg = new TreeSvg((hash) => this.select(hash));
  private readonly scroll = byId('tree-scroll', HTMLDivElement);
  private readonly note = byId('tree-note', HTMLParagraphElement);
  private readonly empty = byId('tree-empty', HTMLParagraphElement);
  private readonly detail = byId('tree-detail', HTMLParagraphElement);
  private readonly followButton = byId('tree-follow', HTMLButtonElement);
  private readonly bar: ReplayBar;
  private view: TreeView = layoutTree<TreeBlock>([]);
  private scene: { replay: Replay; frame: Frame } | undefined;
  private selected: Hash | undefined;
  private follow = true;
  private scrolledTo = 0;

  constructor(private readonly model: Model) {
    this.bar = new ReplayBar({
      frame: (replay, frame) => this.showFrame(replay, frame),
      closed: () => {
        this.scene = undefined;
        this.selected = undefined;
        setAttr(this.svg.root, 'data-replay', undefined);
        this.draw();
      },
    });
    this.followButton.addEventListener('click', () => {
      this.setFollow(!this.follow);
      this.draw();
    });
    this.scroll.addEventListener('scroll', () => {
      const { scrollLeft, clientWidth, scrollWidth } = this.scroll;
      // At the right end one is also taken by a tree that became shorter.
      const atEnd = scrollLeft + clientWidth > scrollWidth - kByHand;
      if (!atEnd && Math.abs(scrollLeft - this.scrolledTo) > kByHand) this.setFollow(false);
    });
    this.svg.root.addEventListener('keydown', (event) => this.key(event));
  }

  draw(): void {
    if (this.scene) {
      this.say();
      return;
    }
    const blocks = this.model.tree.blocks();
    this.view = layoutTree(blocks);
    if (this.selected && !this.model.tree.get(this.selected)) this.selected = undefined;
    this.svg.draw(this.view, this.liveLook());
    this.empty.hidden = blocks.length > 0;
    this.say();
    this.showDetail();
    if (this.follow) this.showHead();
  }

  replay(id: number, trigger: HTMLElement): void {
    const reorg = this.model.reorgs.get(id);
    if (!reorg) return;
    this.selected = undefined;
    this.bar.start(
      makeReplay(reorg, (hash) => this.model.tree.get(hash)),
      trigger,
    );
    byId('tree', HTMLElement).scrollIntoView({ block: 'nearest' });
  }

  private liveLook(): Look {
    return {
      role: (b) => (b.canonical ? 'canonical' : b.displaced ? 'displaced' : 'side'),
      head: this.model.tree.head?.hash,
      fork: undefined,
      selected: this.selected,
      markForks: true,
      shift: 0,
    };
  }

  private showFrame(replay: Replay, frame: Frame): void {
    const fresh = this.scene?.replay !== replay;
    this.scene = { replay, frame };
    if (fresh) {
      this.view = layoutTree(replay.blocks);
      setAttr(this.svg.root, 'data-replay', 'true');
    }
    this.drawFrame();
    if (fresh) this.scrollTo(this.xOf(replay.reorg.forkPoint.hash) - this.scroll.clientWidth / 3);
    this.bringIn(this.xOf(frame.head) + this.shift());
    this.say();
    this.showDetail();
  }

  private drawFrame(): void {
    if (!this.scene) return;
    const { replay, frame } = this.scene;
    this.svg.draw(this.view, {
      role: (b) => frame.roles.get(b.hash) ?? 'side',
      head: frame.head,
      fork: frame.forkMarked ? replay.reorg.forkPoint.hash : undefined,
      selected: this.selected,
      markForks: false,
      shift: this.shift(),
    });
  }

  private shift(): number {
    return Math.max(0, Math.round((this.scroll.clientWidth - widthOf(this.view)) / 2));
  }

  private say(): void {
    const head = this.model.tree.head;
    const side = this.view.placed.filter((p) => !p.block.canonical).length;
    const left = this.view.dropped + (this.model.tree.cut ? 1 : 0);
    const more = left > 0 ? ', more than can be drawn' : '';
    const live = head ? `head ${count(head.number)} ${shortHash(head.hash, 4)}` : '';
    const words = this.scene
      ? `live: ${live}`
      : head
        ? `${plural(this.view.placed.length, 'block')}, ${count(side)} beside the canonical chain${more}`
        : '';
    setText(this.note, words);
    setAttr(this.svg.root, 'aria-label', `Fork tree, ${words}, ${live}`);
  }

  private showDetail(): void {
    const placed = this.view.placed.find((p) => p.block.hash === this.selected);
    if (!placed) {
      setText(this.detail, '');
      return;
    }
    const { block } = placed;
    const role =
      this.scene?.frame.roles.get(block.hash) ?? (block.canonical ? 'canonical' : 'side branch');
    const was = block.displaced ? ', removed by a reorganisation' : '';
    const parent = block.parent ? shortHash(block.parent, 12) : 'not known';
    setText(
      this.detail,
      `Block ${count(block.number)} · ${block.hash} · parent ${parent} · ${role}${was}`,
    );
  }

  private select(hash: Hash): void {
    this.selected = hash;
    if (this.scene) this.drawFrame();
    else this.svg.draw(this.view, this.liveLook());
    this.showDetail();
  }

  private key(event: KeyboardEvent): void {
    const way = kWays[event.key];
    if (!way || this.bar.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = neighbour(
      this.view,
      this.selected ?? this.model.tree.head?.hash,
      way,
      this.selected === undefined,
    );
    if (!next) return;
    event.preventDefault();
    this.setFollow(false);
    this.select(next);
    this.bringIn(this.xOf(next));
  }

  private bringIn(x: number): void {
    const left = this.scroll.scrollLeft;
    if (x < left + kMargin || x > left + this.scroll.clientWidth - kMargin) {
      this.scrollTo(x - this.scroll.clientWidth / 2);
    }
  }

  private setFollow(follow: boolean): void {
    this.follow = follow;
    setAttr(this.followButton, 'aria-pressed', String(follow));
  }

  private showHead(): void {
    const head = this.model.tree.head;
    if (head) this.scrollTo(this.xOf(head.hash) + kMargin - this.scroll.clientWidth);
  }

  private xOf(hash: Hash): number {
    return columnX(this.view.placed.find((p) => p.block.hash === hash)?.column ?? 0);
  }

  private scrollTo(x: number): void {
    this.scroll.scrollLeft = Math.max(0, x);
    this.scrolledTo = this.scroll.scrollLeft;
  }
}
