/**
 * The hash tags of lanes, which decide on what master of a cluster each lies. Names that differ in a digit
 * have slots that differ in few bits, so that a store's lanes would reach few masters: a mark is put behind
 * the name, such that the tag lies where it should.
 */
import { crc16, crc16And, slotCount } from '../hash-slot.js';

/**
 * How the tags of a store's lanes are made, for ever once it was written. `first`: the lane's name alone, as
 * stores have them that were written before there were marks.
 */
export type LaneTags = 'first' | 'spread';

export function laneTag(prefix: string, lane: string, tags: LaneTags): string {
  return tags === 'first' ? `${prefix}:${lane}` : spreadTag(prefix, lane);
}

/** Slots side by side that count as one place: a lane is in any of its cell's, so that few share a slot. */
const cells = 256;
const cellBits = 8;
const cellSize = slotCount / cells;
const markRadix = 36;

/**
 * A store's first lane is anywhere, the next ones each in the middle of the largest gap (van der Corput's
 * sequence): so any part of the slots has about its share of them, however many they are.
 */
function spreadTag(prefix: string, lane: string): string {
  const slash = lane.lastIndexOf('/');
  const partition = Number(lane.slice(slash + 1));
  const cell = (crc16(`${prefix}:${lane.slice(0, slash)}`) + reversedBits(partition % cells)) % cells;
  const name = `${prefix}:${lane}~`;
  const sum = crc16(name);
  for (let mark = 0; ; mark++) {
    const text = mark.toString(markRadix);
    if (cellOf(sumWith(sum, text)) === cell) return name + text;
  }
}

/** Without the bytes of `crc16`: some hundreds are tried for a lane. */
function sumWith(sum: number, digits: string): number {
  let all = sum;
  for (let i = 0; i < digits.length; i++) all = crc16And(all, digits.charCodeAt(i));
  return all;
}

function cellOf(sum: number): number {
  return Math.floor((sum % slotCount) / cellSize);
}

function reversedBits(number: number): number {
  let reversed = 0;
  for (let bit = 0; bit < cellBits; bit++) reversed = (reversed << 1) | ((number >> bit) & 1);
  return reversed;
}
