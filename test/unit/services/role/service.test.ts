/** The mould of roles: parts that are started in order and stopped in reverse, whenever it is told to stop. */
import { describe, expect, it } from 'vitest';
import type { ForebayEvent } from '../../../../src/events.js';
import type { Resources } from '../../../../src/resources.js';
import { Role } from '../../../../src/services/role/service.js';

type Open = (parts: Resources, signal: AbortSignal) => Promise<void>;

class TestRole extends Role {
  readonly #open: Open;

  constructor(open: Open, events: ForebayEvent[] = []) {
    super({ emit: (event) => events.push(event) });
    this.#open = open;
  }

  protected open(parts: Resources, signal: AbortSignal): Promise<void> {
    return this.#open(parts, signal);
  }
}

/** Parts that write down when they are made and stopped. */
function recorder() {
  const log: string[] = [];
  const part = (parts: Resources, name: string): void => {
    parts.own(name, log.push(`+${name}`), () => log.push(`-${name}`));
  };
  return { log, part };
}

describe('a role', () => {
  it('stops its parts in reverse, and tells them first that it is to stop', async () => {
    const { log, part } = recorder();
    let signal: AbortSignal | undefined;
    const role = new TestRole(async (parts, stopping) => {
      signal = stopping;
      part(parts, 'a');
      parts.own('b', undefined, () => log.push(`-b, ${stopping.aborted}`));
    });
    await role.start();
    expect(signal?.aborted).toBe(false);
    await role.stop(1_000);
    expect(log).toEqual(['+a', '-b, true', '-a']);
  });

  it('is started once', async () => {
    const role = new TestRole(async () => undefined);
    const first = role.start();
    await expect(role.start()).rejects.toMatchObject({ name: 'ForebayError', code: 'ALREADY_STARTED' });
    await first;
    await expect(role.start()).rejects.toMatchObject({ code: 'ALREADY_STARTED' });
    await role.stop(1_000);
    await expect(role.start()).rejects.toMatchObject({ code: 'ALREADY_STARTED' });
  });

  it('may be stopped before it is started, and is not started then', async () => {
    const { log, part } = recorder();
    const role = new TestRole(async (parts) => part(parts, 'a'));
    await role.stop(1_000);
    await expect(role.start()).rejects.toMatchObject({ code: 'CLOSED' });
    expect(log).toEqual([]);
  });

  it('may be stopped many times, at once and again', async () => {
    const { log, part } = recorder();
    const role = new TestRole(async (parts) => part(parts, 'a'));
    await role.start();
    await Promise.all([role.stop(1_000), role.stop(1_000)]);
    await role.stop(1_000);
    expect(log).toEqual(['+a', '-a']);
  });

  it('that is stopped while it starts ends with the part that it was at', async () => {
    const { log, part } = recorder();
    let goOn = (): void => undefined;
    const role = new TestRole(async (parts) => {
      part(parts, 'a');
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      part(parts, 'b');
      part(parts, 'c');
    });
    const starting = expect(role.start()).rejects.toMatchObject({ code: 'CLOSED' });
    const stopping = role.stop(1_000);
    goOn();
    await Promise.all([starting, stopping]);
    expect(log).toEqual(['+a', '-a', '+b', '-b']);
  });

  it('that cannot start stops what it had started', async () => {
    const { log, part } = recorder();
    const role = new TestRole(async (parts) => {
      part(parts, 'a');
      throw new Error('no b');
    });
    await expect(role.start()).rejects.toThrow('no b');
    expect(log).toEqual(['+a', '-a']);
    await role.stop(1_000);
    expect(log).toEqual(['+a', '-a']);
  });
});
