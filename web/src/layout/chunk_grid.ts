// The chunks of a data set as squares, one path for each state. Pure.

import { chunkStates, type ChunkState } from '../model/types';

export const kPitch = 11;
const kSide = 9;
/** Cells of a grid; where there are more chunks, a cell stands for several. */
export const kMaxCells = 512;

export interface ChunkGrid {
  readonly width: number;
  readonly height: number;
  /** Chunks in one cell. */
  readonly each: number;
  readonly paths: Readonly<Record<ChunkState, string>>;
  readonly counts: Readonly<Record<ChunkState, number>>;
}

// Of the chunks in one cell the one that a reader should see.
const kWeight: Readonly<Record<ChunkState, number>> = {
  UNKNOWN: 0,
  HELD: 1,
  WANTED: 2,
  ASKED: 3,
  MISSING: 4,
};

function square(x: number, y: number): string {
  return `M${x} ${y}h${kSide}v${kSide}h-${kSide}z`;
}

function cross(x: number, y: number): string {
  return `${square(x, y)}M${x + 2} ${y + 2}l5 5m0 -5l-5 5`;
}

export function chunkGrid(chunks: readonly ChunkState[], columns: number): ChunkGrid {
  const each = Math.max(1, Math.ceil(chunks.length / kMaxCells));
  const paths = { UNKNOWN: '', WANTED: '', ASKED: '', HELD: '', MISSING: '' };
  const counts = { UNKNOWN: 0, WANTED: 0, ASKED: 0, HELD: 0, MISSING: 0 };
  for (const state of chunks) ++counts[state];
  const cells = Math.ceil(chunks.length / each);
  for (let cell = 0; cell < cells; ++cell) {
    let worst: ChunkState = 'UNKNOWN';
    for (const state of chunks.slice(cell * each, (cell + 1) * each)) {
      if (kWeight[state] > kWeight[worst]) worst = state;
    }
    const x = (cell % columns) * kPitch + 1;
    const y = Math.floor(cell / columns) * kPitch + 1;
    paths[worst] += worst === 'MISSING' ? cross(x, y) : square(x, y);
  }
  const rows = Math.max(1, Math.ceil(cells / columns));
  return { width: columns * kPitch, height: rows * kPitch, each, paths, counts };
}

/** "64 chunks: 8 held, 1 missing, 55 not looked for". */
export function describeChunks(grid: ChunkGrid, total: number): string {
  const names: Readonly<Record<ChunkState, string>> = {
    HELD: 'held',
    ASKED: 'asked',
    WANTED: 'wanted',
    MISSING: 'missing',
    UNKNOWN: 'not looked for',
  };
  const said = [...chunkStates]
    .sort((a, b) => kWeight[b] - kWeight[a])
    .filter((state) => grid.counts[state] > 0)
    .map((state) => `${grid.counts[state]} ${names[state]}`);
  return `${total} chunks${said.length > 0 ? `: ${said.join(', ')}` : ''}`;
}
