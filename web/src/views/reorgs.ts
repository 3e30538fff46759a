// The reorganisations, the newest first; each is a button that replays it.

import { clock, count, tag } from '../format';
import type { Model } from '../model/model';
import type { KnownReorg, Segment } from '../model/reorg_list';
import { byId, h, keyed, setText } from '../ui/dom';

export type StartReplay = (id: number, trigger: HTMLElement) => void;

export class ReorgsView {
  private readonly list = byId('reorgs', HTMLOListElement);
  private readonly note = byId('reorgs-note', HTMLParagraphElement);
  private readonly empty = byId('reorgs-empty', HTMLParagraphElement);
  private readonly announce = byId('announce', HTMLParagraphElement);
  private announced: number | undefined;

  constructor(
    private readonly model: Model,
    private readonly replay: StartReplay,
  ) {}

  draw(): void {
    const reorgs = this.model.reorgs.newestFirst();
    const total = this.model.reorgs.total;
    this.empty.hidden = reorgs.length > 0;
    this.list.hidden = reorgs.length === 0;
    setText(
      this.note,
      total > reorgs.length
        ? `newest ${count(reorgs.length)} of ${count(total)}`
        : total > 0
          ? count(total)
          : '',
    );
    keyed(
      this.list,
      reorgs,
      (r) => `${r.id}-${r.newHead.hash}`,
      (r) => this.make(r),
      () => undefined,
    );
    this.say();
  }

  private say(): void {
    const id = this.model.newestReorg;
    const r = id === undefined ? undefined : this.model.reorgs.get(id);
    if (!r || id === this.announced) return;
    this.announced = id;
    setText(
      this.announce,
      `Reorganisation ${r.id}, depth ${r.depth}, new head ${r.newHead.number}`,
    );
  }

  private make(r: KnownReorg): HTMLLIElement {
    const button = h('button', { class: 'reorg', title: 'Replay it on the tree' });
    button.type = 'button';
    button.append(
      h('span', { class: 'reorg-id', text: `#${r.id}` }),
      h('span', { class: 'reorg-depth', text: `depth ${count(r.depth)}` }),
      h('time', {
        class: 'reorg-time',
        text: clock(r.time),
        attrs: { datetime: new Date(r.time).toISOString() },
      }),
      h(
        'span',
        { class: 'reorg-way' },
        segment('−', r.removed, 'removed'),
        h('span', {
          class: 'fork-at',
          text: `fork at ${count(r.forkPoint.number)} ${tag(r.forkPoint.hash)}`,
        }),
        segment('+', r.added, 'added'),
      ),
      h('span', { class: 'reorg-cause', text: r.cause ? `because ${r.cause}` : '' }),
      h('span', { class: 'reorg-replay', text: 'Replay' }),
    );
    button.addEventListener('click', () => this.replay(r.id, button));
    return h('li', { attrs: { 'data-reorg': r.id.toString() } }, button);
  }
}

const kShown = 3;

function segment(sign: string, s: Segment, name: string): HTMLSpanElement {
  const box = h('span', {
    class: `segment ${name}`,
    attrs: { 'aria-label': `${s.count} ${name}` },
  });
  box.append(h('b', { text: `${sign}${count(s.count)}` }));
  for (const b of s.blocks.slice(0, kShown))
    box.append(' ', h('code', { text: tag(b.hash), title: b.hash }));
  if (s.count > kShown) box.append(' …');
  return box;
}
