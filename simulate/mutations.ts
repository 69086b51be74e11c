/** Mutations of the protocol, each of which the simulator must find. */
import type { Patch } from './tree.js';

export interface Mutation extends Patch {
  readonly name: string;
}

const lua = (script: string): string => `src/buffer/lua/${script}.lua`;

export const mutations: readonly Mutation[] = [
  {
    name: 'ack without number',
    file: lua('ack'),
    find: "if redis.call('HGET', meta, 'sealed') ~= number then return 0 end",
    replace: '',
  },
];
