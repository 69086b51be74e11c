/** The client that a process shares, where a development server loads modules anew. */
import { afterEach, expect, it } from 'vitest';
import { createTestForebay } from '../../../src/testing/test-forebay.js';
import { conformanceStores as stores } from '../../support/conformance/stores.js';

let copies = 0;
/** This module alone: files of tests share the others. */
const loadAnew = (): Promise<typeof import('../../../src/shared.js')> =>
  import(/* @vite-ignore */ `../../../src/shared.js?copy=${++copies}`);

afterEach(async () => (await loadAnew()).closeShared());

it('a module that is loaded anew finds the client that is connected', async () => {
  let connects = 0;
  const connectClient = () => {
    connects += 1;
    return createTestForebay(stores);
  };
  const [before, after] = [await loadAnew(), await loadAnew()];
  expect(after.sharedForebay).not.toBe(before.sharedForebay);
  const [one, other] = await Promise.all([
    before.sharedForebay(connectClient),
    before.sharedForebay(connectClient),
  ]);
  expect(other).toBe(one);
  expect(await after.sharedForebay(connectClient)).toBe(one);
  expect(await after.sharedClient()).toBe(one);
  expect(connects).toBe(1);
  await expect(after.share(connectClient)).rejects.toMatchObject({ code: 'ALREADY_SHARED' });
});

it('a client that could not connect is connected by the next call', async () => {
  const { sharedForebay } = await loadAnew();
  await expect(sharedForebay(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(await sharedForebay(() => createTestForebay(stores))).toBeDefined();
});
