import { expect, test } from 'vitest';
import { bytes, count, duration, millis, probability, shortHash } from '../../src/format';
import { chunkGrid, describeChunks, kMaxCells } from '../../src/layout/chunk_grid';
import type { ChunkState } from '../../src/model/types';
import { isGone, kGoneAfterTries, kLongestWaitMs, waitBefore } from '../../src/rpc/backoff';

test('numbers for people', () => {
  expect(count(1_234_567)).toBe('1\u2009234\u2009567');
  expect([0, 999, 1000, 12_345, 999_950, 5e12].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '12.3 kB',
    '1000 kB',
    '5.0 TB',
  ]);
  expect([999, 61_000, 3_700_000, 90_000_000].map(duration)).toEqual([
    '0 s',
    '1 min 1 s',
    '1 h 1 min',
    '1 d 1 h',
  ]);
  expect([undefined, 0.4, 12.34, 250.7].map(millis)).toEqual(['–', '0.40 ms', '12.3 ms', '251 ms']);
  expect(shortHash(`0x${'ab'.repeat(32)}`)).toBe('0xabababab…');
  expect(shortHash('0x12')).toBe('0x12');
});

test('a probability is per cent, and powers of ten where it is small', () => {
  expect([1, 0.00271, 1.9e-5, 0].map(probability)).toEqual(['100 %', '0.271 %', '1.9 × 10⁻⁵', '0']);
});

test('a grid has a path for each state, and a cell shows the worst of its chunks', () => {
  const small = chunkGrid(['HELD', 'UNKNOWN', 'MISSING'], 2);
  expect(small).toMatchObject({ width: 22, height: 22, each: 1 });
  expect(small.paths.HELD).toBe('M1 1h9v9h-9z');
  expect(small.paths.UNKNOWN).toContain('M12 1');
  expect(small.paths.MISSING).toContain('M1 12');
  expect(describeChunks(small, 3)).toBe('3 chunks: 1 missing, 1 held, 1 not looked for');
  const many: ChunkState[] = Array<ChunkState>(4096).fill('HELD');
  many[9] = 'MISSING';
  const large = chunkGrid(many, 32);
  expect(large.each).toBe(4096 / kMaxCells);
  expect(large.paths.MISSING.startsWith('M12 1h')).toBe(true);
  expect(large.counts.HELD).toBe(4095);
});

test('waiting doubles up to its longest, and a node that does not come is gone', () => {
  expect([1, 2, 3, 4].map((n) => waitBefore(n, 0.5))).toEqual([250, 500, 1000, 2000]);
  expect(waitBefore(1000, 0.5)).toBe(kLongestWaitMs);
  expect(waitBefore(1, 0)).toBe(200);
  expect(waitBefore(1, 1)).toBe(300);
  expect([kGoneAfterTries - 1, kGoneAfterTries].map(isGone)).toEqual([false, true]);
});
