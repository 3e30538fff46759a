// The data sets: their chunks, and what sampling says of them.

import { bytes, count, probability, shortHash } from '../format';
import { chunkGrid, describeChunks } from '../layout/chunk_grid';
import type { Model } from '../model/model';
import { chunkStates, type DataSet } from '../model/types';
import { byId, h, keyed, setAttr, setText, svg } from '../ui/dom';

const kColumns = 32;

export class DataView {
  private readonly list = byId('data-sets', HTMLUListElement);
  private readonly note = byId('data-note', HTMLParagraphElement);
  private readonly empty = byId('data-empty', HTMLParagraphElement);

  constructor(private readonly model: Model) {}

  draw(): void {
    const sets = this.model.dataSets;
    const total = this.model.dataSetsTotal;
    this.empty.hidden = sets.length > 0;
    this.list.hidden = sets.length === 0;
    setText(
      this.note,
      total > sets.length
        ? `${count(sets.length)} of ${count(total)}`
        : total > 0
          ? count(total)
          : '',
    );
    keyed(this.list, sets, (d) => d.id, makeSet, updateSet);
  }
}

function makeSet(d: DataSet): HTMLLIElement {
  const grid = svg('svg', { class: 'chunks', attrs: { role: 'img' } });
  for (const state of chunkStates) grid.append(svg('path', { attrs: { 'data-chunk': state } }));
  return h(
    'li',
    { class: 'data-set' },
    h(
      'header',
      {},
      h('code', { class: 'data-id', text: shortHash(d.id, 12), title: d.id }),
      h('span', { class: 'chips' }),
      h('span', { class: 'data-size' }),
    ),
    grid,
    h(
      'dl',
      { class: 'verdict' },
      fact('Confidence', 'confidence'),
      fact('Fooled with', 'fooled'),
      fact('Sampled', 'sampled'),
      fact('Held', 'held'),
      fact('Announcers', 'announcers'),
    ),
  );
}

function fact(name: string, key: string): HTMLDivElement {
  return h('div', {}, h('dt', { text: name }), h('dd', { attrs: { 'data-fact': key } }));
}

function updateSet(element: HTMLLIElement, d: DataSet): void {
  const size = element.querySelector('.data-size');
  if (size)
    setText(size, `${bytes(d.totalBytes)} · ${count(d.totalChunks)} × ${bytes(d.chunkSize)}`);
  const marks = [
    d.whole ? 'whole' : '',
    d.pinned ? 'pinned' : '',
    d.sampling ? 'sampling' : '',
  ].filter(Boolean);
  const chips = element.querySelector('.chips');
  if (chips)
    keyed(
      chips,
      marks,
      (m) => m,
      (m) => h('span', { class: 'chip', text: m }),
      () => undefined,
    );
  const grid = element.querySelector('svg');
  if (grid) drawGrid(grid, d);
  const v = d.verdict;
  const facts: Readonly<Record<string, string>> = {
    confidence: v?.confidence === undefined ? 'unknown' : v.confidence.toFixed(3),
    fooled: v ? probability(v.fooled) : '–',
    sampled: v ? `${count(v.received)} of ${count(v.requested)}` : 'not yet',
    held: `${count(d.held)} of ${count(d.totalChunks)}`,
    announcers: count(d.announcers),
  };
  for (const dd of element.querySelectorAll('dd'))
    setText(dd, facts[dd.getAttribute('data-fact') ?? ''] ?? '');
  setAttr(
    element,
    'data-doubtful',
    v?.confidence !== undefined && v.confidence < 1 ? 'true' : undefined,
  );
}

function drawGrid(grid: SVGSVGElement, d: DataSet): void {
  const cells = chunkGrid(d.chunks, kColumns);
  setAttr(grid, 'viewBox', `0 0 ${cells.width} ${cells.height}`);
  const each = cells.each > 1 ? `; a square is ${cells.each} chunks` : '';
  setAttr(grid, 'aria-label', `${describeChunks(cells, d.totalChunks)}${each}`);
  for (const path of grid.querySelectorAll('path')) {
    const state = chunkStates.find((s) => s === path.getAttribute('data-chunk'));
    if (state) setAttr(path, 'd', cells.paths[state]);
  }
}
