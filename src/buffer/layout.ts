/**
 * How many lanes a store has, and where: as Redis has it in one text for each store, `8 spread`. A layout
 * that was made while the system ran has an epoch, and one that is being changed says to what, and until
 * when.
 */
import type { LaneTags } from './lane-tags.js';

/** How many lanes a store has, and how their tags are made. Default of these: as those of new stores. */
export interface LaneLayout {
  readonly partitions: number;
  readonly tags?: LaneTags | undefined;
}

export interface Layout extends LaneLayout {
  readonly tags: LaneTags;
  /** Grows with each change, and is never below a version of the lanes before it; 0: none was made yet. */
  readonly epoch: number;
  /** Of a change that is under way. */
  readonly next?: NextLayout;
}

export interface NextLayout {
  readonly partitions: number;
  /** Under which the lanes are closed for it. */
  readonly epoch: number;
  /** In µs since 1970: from then on anybody may undo it. */
  readonly until: number;
}

const form = /^(\d+)(?: (first|spread))?(?: (\d+))?(?: > (\d+) (\d+) until (\d+))?$/;

/** By the number alone its tags are the first ones. */
export function parseLayout(text: string): Layout {
  const [, partitions, tags = 'first', epoch = '0', next, nextEpoch, until] = form.exec(text) ?? [];
  return {
    partitions: Number(partitions),
    tags: tags as LaneTags,
    epoch: Number(epoch),
    ...(next !== undefined && {
      next: { partitions: Number(next), epoch: Number(nextEpoch), until: Number(until) },
    }),
  };
}

export function layoutText({ partitions, tags, epoch, next }: Layout): string {
  // As earlier versions have written it: it is compared.
  if (epoch === 0 && tags === 'first' && !next) return `${partitions}`;
  const current = epoch === 0 ? `${partitions} ${tags}` : `${partitions} ${tags} ${epoch}`;
  return next ? `${current} > ${next.partitions} ${next.epoch} until ${next.until}` : current;
}

/**
 * What a caller knows of a lane's number: compared by the lane. Of a store that was never changed a lane says
 * nothing; with a `!` it must, for the definitions would say another number after Redis was emptied.
 */
export function markOf({ partitions, epoch }: Pick<Layout, 'partitions' | 'epoch'>, defined: number): string {
  if (epoch > 0) return `${partitions}.${epoch}`;
  return partitions === defined ? `${partitions}` : `${partitions}!`;
}

/** What stands in a lane: its number, the epoch of it, and what is done to it. */
export interface LaneMark {
  readonly partitions: number;
  readonly epoch: number;
  readonly state: 'open' | 'closed' | 'moved';
}

/** Undefined: the lane says nothing. */
export function parseLaneMark(text: string | null): LaneMark | undefined {
  const [, partitions, epoch = '0', state = 'open'] =
    /^(\d+)(?:\.(\d+))?(?: (closed|moved))?$/.exec(text ?? '') ?? [];
  if (partitions === undefined) return undefined;
  return { partitions: Number(partitions), epoch: Number(epoch), state: state as LaneMark['state'] };
}
