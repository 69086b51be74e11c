/** `forebay deploy` under the real pm2. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DeployEnd, type Listed, Pm2Home } from '../support/pm2-home.js';

const quick = ['--settle', '0.5s'];
const good = `process.send('ready'); process.on('SIGINT', () => process.exit(0)); setInterval(() => {}, 1000);`;

/** Each build's worker, and what the deploy says of it. */
const badBuilds: Readonly<Record<string, readonly [script: string, reason: string, word: string]>> = {
  'that throws at its start': [`throw new Error('a bug')`, 'ended at its start', 'Error: a bug'],
  'that exits with code 0 at its start': [`console.log('enough')`, 'ended at its start', 'enough'],
  'that never gets ready': [
    `console.log('I wait'); setInterval(() => {}, 1000);`,
    'did not get ready',
    'I wait',
  ],
  'that hangs at its start': [`console.log('I turn'); for (;;);`, 'did not get ready', 'I turn'],
  'that ends soon after it was ready': [
    `process.send('ready'); setTimeout(() => { throw new Error('late') }, 300);`,
    'ended soon after it was ready',
    'Error: late',
  ],
  'that hangs soon after it was ready': [
    `process.send('ready'); process.send({ type: 'forebay:alive', data: {} }); setTimeout(() => { for (;;); }, 200);`,
    'hangs',
    'It said nothing',
  ],
  'that ends once an old one has left': [
    `process.send('ready'); process.on('SIGINT', () => process.exit(0));
     const old = process.env.OLD_PIDS.split(',').map(Number);
     setInterval(() => { for (const pid of old) process.kill(pid, 0); }, 5);`,
    'ended soon after it was ready',
    'ESRCH',
  ],
};

let home: Pm2Home;
let before: Listed[];

beforeAll(async () => {
  home = await Pm2Home.make();
  expect(await home.deploy([await build('first', good), ...quick])).toMatchObject({ exitCode: 0 });
  before = await home.list();
});

afterAll(() => home.remove());

/** A build in a folder of its own, as releases have; its first app is a good one. Returns its file. */
async function build(name: string, script: string): Promise<string> {
  const folder = path.join(home.folder, name);
  await mkdir(folder);
  await writeFile(path.join(folder, 'good.cjs'), good);
  await writeFile(path.join(folder, 'worker.cjs'), script);
  const common = { exec_mode: 'fork', wait_ready: true, listen_timeout: 4_000, kill_timeout: 300 };
  const env = { OLD_PIDS: before?.map(({ pid }) => pid).join(',') };
  const apps = [
    { ...common, name: 'other', script: './good.cjs' },
    { ...common, name: 'worker', script: './worker.cjs', instances: 2, exp_backoff_restart_delay: 100, env },
  ];
  const file = path.join(folder, 'ecosystem.config.cjs');
  await writeFile(file, `exports.apps = ${JSON.stringify(apps)};`);
  return file;
}

describe('a deploy of a build', () => {
  it.each(Object.entries(badBuilds))('%s is refused, and the old one works on', async (name, bad) => {
    const [script, reason, word] = bad;
    const { exitCode, text } = await home.deploy([await build(name, script), ...quick]);
    expect(text).toContain(reason);
    expect(text).toContain(word);
    expect(exitCode).toBe(1);
    await expectOldOnes(name === 'that ends once an old one has left');
  });

  it('that is not there is refused', async () => {
    const { exitCode, text } = await home.deploy([path.join(home.folder, 'nowhere.config.cjs')]);
    expect(text).toContain('nowhere.config.cjs');
    expect(exitCode).toBe(1);
    await expectOldOnes(false);
  });

  it('that is interrupted is undone', async () => {
    const { exitCode } = await home.deploy(
      [await build('interrupted', good)],
      ['worker 1/2', (interrupt) => interrupt()],
    );
    expect(exitCode).toBe(1);
    await expectOldOnes(false);
  });

  it('while another is under way is refused', async () => {
    const file = await build('other', good);
    const seconds: Promise<DeployEnd>[] = [];
    await home.deploy(
      [file],
      ['worker 1/2', (interrupt) => seconds.push(home.deploy([file]).finally(interrupt))],
    );
    const [second] = await Promise.all(seconds);
    expect(second?.text).toContain('Another deploy is under way');
    expect(second?.exitCode).toBe(1);
    await expectOldOnes(false);
  });

  it('that is good replaces all, and at no moment there is no worker', async () => {
    const watch = watchWorkers();
    const { exitCode, text } = await home.deploy([await build('second', good), ...quick]);
    expect(text).toContain('done: 3 new, 3 old removed');
    expect(exitCode).toBe(0);
    const after = await home.list();
    expect(after.map(({ name }) => name).sort()).toEqual(['other', 'worker', 'worker']);
    expect(after.map(({ status }) => status)).toEqual(['online', 'online', 'online']);
    expect(after.filter(({ pid }) => before.some((old) => old.pid === pid))).toEqual([]);
    expect((await watch.end()).least).toBeGreaterThanOrEqual(2);
  });
});

/** Those from before, and no others; `isStartedAgain`: some of them in another process. */
async function expectOldOnes(isStartedAgain: boolean): Promise<void> {
  const now = await home.list();
  expect(now.map(({ id, name, status }) => ({ id, name, status }))).toEqual(
    before.map(({ id, name, status }) => ({ id, name, status })),
  );
  if (isStartedAgain) before = now;
  else expect(now).toEqual(before);
}

/** How many of pm2's workers were online at once, at the least. */
function watchWorkers(): { end(): Promise<{ least: number }> } {
  let isOver = false;
  const looks = (async () => {
    let least = Number.POSITIVE_INFINITY;
    while (!isOver) {
      const online = (await home.list()).filter(
        ({ name, status }) => name === 'worker' && status === 'online',
      );
      least = Math.min(least, online.length);
    }
    return { least };
  })();
  return {
    end: () => {
      isOver = true;
      return looks;
    },
  };
}
