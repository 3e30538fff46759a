// Draws a laid-out fork tree. Blocks and edges keep their elements, so that what moves glides
// (CSS).

import { count, tag } from '../format';
import type { Placed, TreeLayout } from '../layout/tree_layout';
import type { TreeBlock } from '../model/block_tree';
import type { Hash } from '../model/types';
import { byId, keyed, setAttr, svg } from '../ui/dom';

export const kColumnWidth = 46;
const kBlockWidth = 36;
const kBlockHeight = 20;
const kLaneHeight = 32;
const kTop = 26; // the heights
const kSide = 10;
const kHeightEvery = 5;

export interface Look {
  /** Of a block: how it is drawn. */
  role(block: TreeBlock): string;
  readonly head: Hash | undefined;
  readonly fork: Hash | undefined;
  readonly selected: Hash | undefined;
  /** Every fork point, or `fork` alone. */
  readonly markForks: boolean;
  /** Pixels to the right: a replay stands in the middle. */
  readonly shift: number;
}

export type TreeView = TreeLayout<TreeBlock>;
type Block = Placed<TreeBlock>;

export function columnX(column: number): number {
  return kSide + column * kColumnWidth;
}

export function widthOf(view: TreeView): number {
  return columnX(view.columns.at(-1)?.column ?? 0) + kColumnWidth + kSide;
}

function laneY(lane: number): number {
  return kTop + lane * kLaneHeight;
}

export class TreeSvg {
  readonly root = byId('tree-svg', SVGSVGElement);
  private readonly axis = svg('g', { class: 'axis', attrs: { 'aria-hidden': 'true' } });
  private readonly edges = svg('g', { class: 'edges', attrs: { 'aria-hidden': 'true' } });
  private readonly blocks = svg('g', { class: 'blocks' });

  constructor(select: (hash: Hash) => void) {
    this.root.append(this.axis, this.edges, this.blocks);
    this.blocks.addEventListener('click', (event) => {
      const group = event.target instanceof Element ? event.target.closest('g[data-key]') : null;
      const hash = group?.getAttribute('data-key');
      if (hash) select(hash);
    });
  }

  draw(view: TreeView, look: Look): void {
    setAttr(this.root, 'width', String(widthOf(view) + look.shift));
    setAttr(this.root, 'height', String(laneY(Math.max(2, view.lanes))));
    for (const group of [this.axis, this.edges, this.blocks])
      setAttr(group, 'transform', `translate(${look.shift} 0)`);
    this.drawAxis(view);
    const byHash = new Map(view.placed.map((p) => [p.block.hash, p]));
    this.drawEdges(view, byHash, look);
    keyed(
      this.blocks,
      view.placed,
      (p) => p.block.hash,
      makeBlock,
      (element, p) => updateBlock(element, p, look),
    );
  }

  private drawAxis(view: TreeView): void {
    const marks = view.columns.filter((c, i) => c.gap || i === 0 || c.number % kHeightEvery === 0);
    keyed(
      this.axis,
      marks,
      (c) => c.number.toString(),
      (c) => svg('text', { text: count(c.number), attrs: { y: '14' } }),
      (element, c) => {
        setAttr(element, 'x', String(columnX(c.column) + kBlockWidth / 2));
        setAttr(element, 'text-anchor', c.column === 0 ? 'start' : 'middle');
        if (c.column === 0) setAttr(element, 'x', String(kSide));
      },
    );
  }

  private drawEdges(view: TreeView, byHash: ReadonlyMap<Hash, Block>, look: Look): void {
    keyed(
      this.edges,
      view.placed,
      (p) => p.block.hash,
      () => svg('path'),
      (path, p) => {
        const parent = byHash.get(p.block.parent);
        setAttr(path, 'd', parent ? edge(parent, p) : p.block.number > 0 ? stub(p) : '');
        setAttr(path, 'data-role', look.role(p.block));
        setAttr(path, 'data-far', !parent || p.column > parent.column + 1 ? 'true' : undefined);
      },
    );
  }
}

function makeBlock(p: Block): SVGGElement {
  const half = String(kBlockHeight / 2);
  return svg(
    'g',
    {},
    svg('title'),
    svg('rect', {
      class: 'ring',
      attrs: {
        x: '-3',
        y: '-3',
        width: String(kBlockWidth + 6),
        height: String(kBlockHeight + 6),
        rx: '7',
      },
    }),
    svg('rect', {
      class: 'box',
      attrs: { width: String(kBlockWidth), height: String(kBlockHeight), rx: '4' },
    }),
    svg('text', {
      text: tag(p.block.hash),
      attrs: {
        x: String(kBlockWidth / 2),
        y: half,
        'text-anchor': 'middle',
        'dominant-baseline': 'central',
      },
    }),
    svg('circle', {
      class: 'fork',
      attrs: { cx: String(kBlockWidth + (kColumnWidth - kBlockWidth) / 2), cy: half, r: '3.5' },
    }),
  );
}

function updateBlock(element: SVGGElement, p: Block, look: Look): void {
  const { hash, number } = p.block;
  const at = `translate(${columnX(p.column)}px, ${laneY(p.lane)}px)`;
  if (element.style.transform !== at) element.style.transform = at;
  setAttr(element, 'data-role', look.role(p.block));
  setAttr(element, 'data-head', hash === look.head ? 'true' : undefined);
  setAttr(
    element,
    'data-fork',
    (look.markForks && p.forks) || hash === look.fork ? 'true' : undefined,
  );
  setAttr(element, 'data-selected', hash === look.selected ? 'true' : undefined);
  const title = element.firstElementChild;
  if (title && title.textContent === '') title.textContent = `${count(number)} ${hash}`;
}

function edge(from: Block, to: Block): string {
  const x1 = columnX(from.column) + kBlockWidth;
  const x2 = columnX(to.column);
  const y1 = laneY(from.lane) + kBlockHeight / 2;
  const y2 = laneY(to.lane) + kBlockHeight / 2;
  if (y1 === y2) return `M${x1} ${y1}H${x2}`;
  // Down in the gap behind the parent, then along the lane of the child.
  const x = x1 + (kColumnWidth - kBlockWidth) / 2;
  const r = 4;
  const way = y2 > y1 ? 1 : -1;
  return `M${x1} ${y1}H${x - r / 2}Q${x} ${y1} ${x} ${y1 + way * r}V${y2 - way * r}Q${x} ${y2} ${x + r} ${y2}H${x2}`;
}

function stub(to: Block): string {
  const y = laneY(to.lane) + kBlockHeight / 2;
  return `M${Math.max(0, columnX(to.column) - 8)} ${y}H${columnX(to.column)}`;
}
