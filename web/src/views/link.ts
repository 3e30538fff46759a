// Is what the page shows what the node is? Says so in words, and dims the page where it is not.

import { clock, duration } from '../format';
import type { Summary } from '../model/types';
import type { Link } from '../rpc/client';
import { byId, setAttr, setText } from '../ui/dom';

// A node publishes once a second: one that answers and publishes nothing hangs.
const kStillMs = 5000;

const kSpoken: Readonly<Record<string, string>> = {
  quiet: 'no answer',
  still: 'nothing new',
  waiting: 'lost, reconnecting',
  gone: 'the node is gone',
};

export class LinkView {
  private readonly box = byId('link', HTMLParagraphElement);
  private readonly text = byId('link-text', HTMLSpanElement);
  private readonly retry = byId('link-retry', HTMLButtonElement);
  private readonly announce = byId('announce', HTMLParagraphElement);
  private link: Link = { state: 'connecting', failed: 0 };
  private summary: Summary | undefined;
  private freshAt = Date.now();

  constructor(retryNow: () => void) {
    this.retry.addEventListener('click', retryNow);
    setInterval(() => this.draw(), 500); // seconds that count down
  }

  show(link: Link, summary: Summary | undefined): void {
    const fresh =
      summary?.taken !== this.summary?.taken || link.state !== 'live' || document.hidden;
    if (fresh) this.freshAt = Date.now();
    this.link = link;
    this.summary = summary;
    this.draw();
  }

  private draw(): void {
    const { link } = this;
    const stillMs = link.state === 'live' ? Date.now() - this.freshAt : 0;
    const still = stillMs > kStillMs;
    const retrying = link.state === 'connecting' && link.failed > 0;
    this.enter(still ? 'still' : retrying ? 'waiting' : link.state);
    setAttr(document.body, 'data-stale', link.state === 'live' && !still ? undefined : 'true');
    setText(this.text, still ? `nothing new for ${duration(stillMs)}${this.asOf()}` : this.words());
    this.retry.hidden = link.state !== 'waiting' && link.state !== 'gone';
  }

  /** A change is read aloud, the seconds that count down are not. */
  private enter(state: string): void {
    const before = this.box.getAttribute('data-state');
    if (before === state) return;
    setAttr(this.box, 'data-state', state);
    if (before !== 'connecting')
      setText(this.announce, `The connection to the node: ${kSpoken[state] ?? state}`);
  }

  private asOf(): string {
    return this.summary ? `, shown as of ${clock(this.summary.taken)}` : '';
  }

  private words(): string {
    const { link } = this;
    switch (link.state) {
      case 'live':
        return 'live';
      case 'connecting':
        return link.failed > 0
          ? `reconnecting (try ${link.failed + 1})${this.asOf()}`
          : 'connecting';
      case 'quiet':
        return `no answer for ${duration(Date.now() - link.since)}${this.asOf()}`;
      case 'waiting':
        return `reconnecting in ${left(link.nextTry)}${this.asOf()}`;
      case 'gone':
        return `the node is gone since ${clock(link.since)}, next try in ${left(link.nextTry)}`;
    }
  }
}

/** A wait that has begun is never 0 s. */
function left(until: number): string {
  return duration(until - Date.now() + 999);
}
