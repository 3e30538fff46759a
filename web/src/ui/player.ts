// Which frame of a replay is shown, and whether it goes on by itself. No clock: somebody calls
// tick().

export class Player {
  private at = 0;
  private running = false;

  constructor(private readonly frames: number) {}

  get index(): number {
    return this.at;
  }

  get playing(): boolean {
    return this.running;
  }

  get atEnd(): boolean {
    return this.at >= this.frames - 1;
  }

  /** From the beginning when it was at its end. */
  play(): void {
    if (this.atEnd) this.at = 0;
    this.running = this.frames > 1;
  }

  pause(): void {
    this.running = false;
  }

  toggle(): void {
    if (this.running) this.pause();
    else this.play();
  }

  /** By hand: it does not go on by itself any more. */
  seek(index: number): void {
    this.running = false;
    this.at = Math.max(0, Math.min(this.frames - 1, index));
  }

  tick(): void {
    if (!this.running) return;
    ++this.at;
    if (this.atEnd) this.running = false;
  }
}
