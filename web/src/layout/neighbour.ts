// Where an arrow key leads from a block of the tree. Pure.

import type { Placeable, Placed, TreeLayout } from './tree_layout';
import type { Hash } from '../model/types';

export type Way = 'back' | 'on' | 'up' | 'down' | 'first' | 'last';

/** `here`: the block itself is the answer, as nothing was selected yet. */
export function neighbour<T extends Placeable>(
  layout: TreeLayout<T>,
  from: Hash | undefined,
  way: Way,
  here: boolean,
): Hash | undefined {
  const at = layout.placed.find((p) => p.block.hash === from) ?? layout.placed.at(-1);
  if (!at) return undefined;
  if (here && way !== 'first' && way !== 'last') return at.block.hash;
  return find(layout.placed, at, way)?.block.hash;
}

function find<T extends Placeable>(
  all: readonly Placed<T>[],
  at: Placed<T>,
  way: Way,
): Placed<T> | undefined {
  const lane = all.filter((p) => p.lane === at.lane);
  const column = all.filter((p) => p.column === at.column).sort((a, b) => a.lane - b.lane);
  switch (way) {
    case 'back':
      return (
        all.find((p) => p.block.hash === at.block.parent) ??
        lane.findLast((p) => p.column < at.column)
      );
    case 'on': {
      const children = all.filter((p) => p.block.parent === at.block.hash);
      return children.sort((a, b) => a.lane - b.lane)[0];
    }
    case 'up':
      return column.findLast((p) => p.lane < at.lane);
    case 'down':
      return column.find((p) => p.lane > at.lane);
    case 'first':
      return all.find((p) => p.lane === 0) ?? all[0];
    case 'last':
      return all.findLast((p) => p.lane === 0) ?? all.at(-1);
  }
}
