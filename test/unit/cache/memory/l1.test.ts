import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freezeDeep } from '../../../../src/cache/entry/freeze.js';
import { L1, type L1Value, type Reservation } from '../../../../src/cache/memory/l1.js';

const entry = (value: unknown, expiresAtMs = Number.POSITIVE_INFINITY): L1Value => ({
  value,
  isFrozen: true,
  tags: new Map(),
  expiresAtMs,
  head: { id: 'v1', freshUntilMs: expiresAtMs, loadMs: 0 },
  reads: 0,
});

function opened(options = {}): L1 {
  const l1 = new L1(options);
  l1.open();
  return l1;
}

function keep(l1: L1, key: string, value: L1Value, bytes = 10): void {
  const reservation = l1.reserve(key) as Reservation;
  l1.settle(reservation, value, bytes);
  l1.drop(reservation);
}

describe('L1', () => {
  it('is bypassed until the feed is there, and empty again once it is lost', () => {
    const l1 = new L1();
    expect(l1.reserve('a')).toBeUndefined();
    l1.open();
    keep(l1, 'a', entry(1));
    expect(l1.read('a')?.value).toBe(1);
    l1.close();
    expect(l1.read('a')).toBeUndefined();
    l1.open();
    expect(l1.read('a')).toBeUndefined();
  });

  it('forgets a value when its life is over', () => {
    const l1 = opened();
    keep(l1, 'a', entry(1, Date.now() - 1));
    expect(l1.read('a')).toBeUndefined();
  });

  it('is bounded by entries and by bytes', () => {
    const few = opened({ entriesMax: 3 });
    for (let i = 0; i < 10; i++) keep(few, `k${i}`, entry(i));
    expect(few.size).toBe(3);
    const small = opened({ bytesMax: 1_000 });
    for (let i = 0; i < 10; i++) keep(small, `k${i}`, entry(i), 200);
    expect(small.size).toBe(2);
    keep(small, 'huge', entry(1), 2_000);
    expect(small.read('huge')).toBeUndefined();
  });

  it('never gives a value that was read before an invalidation, whatever the order of events', () => {
    const key = fc.constantFrom('a', 'b');
    const step = fc.oneof(
      key.map((name) => (model: Model) => model.beginRead(name)),
      fc.nat(5).map((nth) => (model: Model) => model.endRead(nth)),
      key.map((name) => (model: Model) => model.invalidate(name)),
      fc.constant((model: Model) => model.flush()),
      fc.constant((model: Model) => model.loseFeed()),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const model = new Model();
        for (const take of steps) {
          take(model);
          model.check();
        }
      }),
    );
  });
});

/** L1 beside the truth, which each invalidation changes; a read sees what is true when it begins. */
class Model {
  readonly #l1 = opened();
  readonly #versions = new Map([
    ['a', 0],
    ['b', 0],
  ]);
  readonly #reads: { reservation: Reservation; version: number }[] = [];

  beginRead(key: string): void {
    this.#reads.push({ reservation: this.#l1.reserve(key) as Reservation, version: this.#version(key) });
  }

  endRead(nth: number): void {
    const [read] = this.#reads.splice(nth, 1);
    if (!read) return;
    this.#l1.settle(read.reservation, entry(read.version), 10);
    this.#l1.drop(read.reservation);
  }

  invalidate(key: string): void {
    this.#versions.set(key, this.#version(key) + 1);
    this.#l1.invalidate(key);
  }

  flush(): void {
    this.#changeAll();
    this.#l1.clear();
  }

  loseFeed(): void {
    this.#changeAll();
    this.#l1.close();
    this.#l1.open();
  }

  check(): void {
    for (const [key, version] of this.#versions) {
      expect([undefined, version]).toContain(this.#l1.read(key)?.value);
    }
  }

  #changeAll(): void {
    for (const key of this.#versions.keys()) this.#versions.set(key, this.#version(key) + 1);
  }

  #version(key: string): number {
    return this.#versions.get(key) as number;
  }
}

describe('a value that is shared by its readers', () => {
  it('can’t be changed by one of them', () => {
    const value = { list: [{ a: 1 }], nothing: null };
    expect(freezeDeep(value)).toBe(true);
    expect(() => Object.assign(value.list[0] as object, { a: 2 })).toThrow(TypeError);
    expect(() => value.list.push({ a: 2 })).toThrow(TypeError);
  });

  it('may hold itself, and one thing many times', () => {
    const circle: { self?: object; list: unknown[] } = { list: [] };
    circle.self = circle;
    expect(freezeDeep(circle)).toBe(true);
    expect(() => circle.list.push(1)).toThrow(TypeError);
    let twice: unknown[] = [];
    for (let i = 0; i < 100; i++) twice = [twice, twice];
    expect(freezeDeep(twice)).toBe(true);
  });

  it('is left as it was when a part of it can’t be frozen', () => {
    const value = { list: [1], at: new Date() };
    expect(freezeDeep(value)).toBe(false);
    expect(value.list.push(2)).toBe(2);
  });

  it.each([new Date(), new Map(), new Set(), new Uint8Array(1), { deep: [new Date()] }])(
    'is not shared when freezing does not protect it: %s',
    (value) => {
      expect(freezeDeep(value)).toBe(false);
    },
  );
});
