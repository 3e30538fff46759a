// The controls of a replay: step, play and pause, by mouse and by keys.

import { count } from '../format';
import type { Frame, Replay } from '../model/replay';
import { Player } from '../ui/player';
import { byId, setText } from '../ui/dom';

const kFrameMs = 700;

export interface ReplayHooks {
  frame(replay: Replay, frame: Frame): void;
  closed(): void;
}

function still(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

export class ReplayBar {
  private readonly bar = byId('replay', HTMLDivElement);
  private readonly name = byId('replay-name', HTMLElement);
  private readonly caption = byId('replay-caption', HTMLSpanElement);
  private readonly progress = byId('replay-progress', HTMLProgressElement);
  private readonly playButton = byId('replay-play', HTMLButtonElement);
  private replay: Replay | undefined;
  private player = new Player(1);
  private timer: ReturnType<typeof setInterval> | undefined;
  private trigger: HTMLElement | undefined;

  constructor(private readonly hooks: ReplayHooks) {
    const on = (id: string, act: () => void): void =>
      byId(id, HTMLButtonElement).addEventListener('click', act);
    on('replay-first', () => this.seek(0));
    on('replay-back', () => this.seek(this.player.index - 1));
    on('replay-step', () => this.seek(this.player.index + 1));
    on('replay-last', () => this.seek(Number.MAX_SAFE_INTEGER));
    on('replay-play', () => this.toggle());
    on('replay-close', () => this.close());
    byId('tree', HTMLElement).addEventListener('keydown', (event) => this.key(event));
  }

  get open(): boolean {
    return this.replay !== undefined;
  }

  /** Plays by itself, unless the reader wants no motion: then it waits for steps. */
  start(replay: Replay, trigger: HTMLElement): void {
    this.replay = replay;
    this.trigger = trigger;
    this.player = new Player(replay.frames.length);
    this.bar.hidden = false;
    setText(this.name, `Reorganisation ${count(replay.reorg.id)}`);
    this.progress.max = replay.frames.length - 1;
    if (!still()) this.player.play();
    clearInterval(this.timer);
    this.timer = setInterval(() => this.tick(), kFrameMs);
    this.draw();
    this.playButton.focus();
  }

  close(): void {
    if (!this.replay) return;
    clearInterval(this.timer);
    this.replay = undefined;
    this.bar.hidden = true;
    this.hooks.closed();
    const back = this.trigger?.isConnected ? this.trigger : document.getElementById('tree-svg');
    back?.focus();
  }

  private tick(): void {
    if (!this.player.playing) return;
    this.player.tick();
    this.draw();
  }

  private toggle(): void {
    this.player.toggle();
    this.draw();
  }

  private seek(index: number): void {
    this.player.seek(index);
    this.draw();
  }

  private draw(): void {
    const frame = this.replay?.frames[this.player.index];
    if (!this.replay || !frame) return;
    setText(this.playButton, this.player.playing ? 'Pause' : this.player.atEnd ? 'Again' : 'Play');
    setText(this.caption, frame.caption);
    this.progress.value = this.player.index;
    this.hooks.frame(this.replay, frame);
  }

  private key(event: KeyboardEvent): void {
    if (!this.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const onButton = event.target instanceof HTMLButtonElement;
    const acts: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => this.seek(this.player.index - 1),
      ArrowRight: () => this.seek(this.player.index + 1),
      Home: () => this.seek(0),
      End: () => this.seek(Number.MAX_SAFE_INTEGER),
      Escape: () => this.close(),
      // A button that has the focus does what it says.
      ...(onButton ? {} : { ' ': () => this.toggle() }),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}
