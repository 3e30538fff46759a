// Real nodes for a test: started, their lines read, killed at its end. Nothing sleeps: a test waits
// for a line.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const kLineMs = 60_000;

export class RealNode {
  readonly ended: Promise<number | null>;
  private readonly lines: string[] = [];
  private readonly waiting: { pattern: RegExp; resolve(found: RegExpExecArray): void }[] = [];

  constructor(private readonly child: ChildProcess) {
    if (!child.stderr || !child.stdout) throw new Error('it has no output');
    this.ended = new Promise((resolve) => child.once('close', (code) => resolve(code)));
    for (const output of [child.stderr, child.stdout])
      createInterface(output).on('line', (line) => this.take(line));
  }

  /** The first line, of all it said and will say, that matches. */
  said(pattern: RegExp): Promise<RegExpExecArray> {
    for (const line of this.lines) {
      const found = pattern.exec(line);
      if (found) return Promise.resolve(found);
    }
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`nothing like ${pattern}:\n${this.lines.join('\n')}`)),
        kLineMs,
      );
      this.waiting.push({
        pattern,
        resolve: (found) => {
          clearTimeout(late);
          resolve(found);
        },
      });
    });
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.ended;
  }

  /** For a program that ends with its input. */
  async endInput(): Promise<void> {
    this.child.stdin?.end();
    await this.ended;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private take(line: string): void {
    this.lines.push(line);
    for (const one of [...this.waiting]) {
      const found = one.pattern.exec(line);
      if (!found) continue;
      this.waiting.splice(this.waiting.indexOf(one), 1);
      one.resolve(found);
    }
  }
}

/** A folder and the nodes in it. */
export class Network {
  private readonly folder = mkdtempSync(join(tmpdir(), 'ethnet-page-'));
  private readonly nodes: RealNode[] = [];

  start(datadir: string, ...words: readonly string[]): RealNode {
    const common = ['--addr', '127.0.0.1', '--datadir', datadir, '--verbosity', '4'];
    return this.run('ethnet', 'node', ...common, ...words);
  }

  /** Any of our programs. */
  run(program: string, ...words: readonly string[]): RealNode {
    const bin = process.env.ETHNET_BIN_DIR;
    if (!bin) throw new Error('ETHNET_BIN_DIR says where the programs are');
    const child = spawn(join(bin, program), words, { cwd: this.folder, stdio: 'pipe' });
    const node = new RealNode(child);
    this.nodes.push(node);
    return node;
  }

  write(name: string, contents: Uint8Array): void {
    writeFileSync(join(this.folder, name), contents);
  }

  end(): void {
    for (const node of this.nodes) node.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A TCP port that was free a moment ago: one that a node keeps when it starts again. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const bound = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (bound) await new Promise((resolve) => server.close(resolve));
  return bound;
}
