/** 2,000 devices tell their state, 10,000 times a second in sum: `node main.js [SECONDS]`. */
import { setTimeout as pause } from 'node:timers/promises';
import { connect, isForebayError, readConfig, requireDatabaseUrl } from 'forebay';
import { createPrisma } from '../platform/prisma.js';
import { createTable, type Device, deviceStores } from './devices.js';

const devices = 2_000;
const perSecond = 10_000;
const seconds = Number(process.argv[2] ?? 5);
const total = seconds * perSecond;

const prisma = createPrisma(requireDatabaseUrl(readConfig()), { name: 'ingestion', connections: 4 });
await createTable(prisma);
const app = await connect(deviceStores(prisma), { prisma });

const last = new Map<string, Device>();
const under = new Set<Promise<unknown>>();
let refused = 0;
const begin = performance.now();
for (let told = 0; told < total; told++) {
  // No faster than the devices tell.
  const due = begin + (told / perSecond) * 1_000;
  if (due > performance.now()) await pause(due - performance.now());
  const writing = accept(messageOf(told)).finally(() => under.delete(writing));
  under.add(writing);
}
await Promise.all(under);
const acceptedMs = performance.now() - begin;

await app.flush();
const persistedMs = performance.now() - begin;
const rows = await prisma.$queryRawUnsafe<Device[]>('SELECT id, celsius, messages FROM devices');
const wrong = [...last.values()].filter(
  (device) => !rows.some((row) => row.id === device.id && row.messages === device.messages),
);

process.stdout.write(
  `${JSON.stringify({
    messages: total,
    refused,
    acceptedPerSecond: Math.round((total / acceptedMs) * 1_000),
    persistedAfterMs: Math.round(persistedMs - acceptedMs),
    rows: rows.length,
    wrong: wrong.length,
  })}\n`,
);
await app.close();
await prisma.$disconnect();

function messageOf(told: number): Device {
  const id = `device-${told % devices}`;
  return { id, celsius: 20 + Math.sin(told / 1_000), messages: (last.get(id)?.messages ?? 0) + 1 };
}

/** A message that there is no room for is dropped: the device's next one is newer. */
async function accept(device: Device): Promise<void> {
  last.set(device.id, device);
  try {
    await app.stores.devices.put(device);
  } catch (error) {
    if (!isForebayError(error, 'BACKLOG_FULL') && !isForebayError(error, 'TOO_MANY_WRITES')) throw error;
    refused += 1;
  }
}
