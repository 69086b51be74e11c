/** Does what is planned to the processes, their connections and the servers. */
import { type Loss, nowUs } from '../history.js';
import type { Place } from '../place/place.js';
import type { ProcessSlot } from '../place/process-slot.js';
import type { TcpProxy } from '../place/tcp-proxy.js';
import type { Random } from '../random.js';
import type { Recovery } from '../recovery.js';
import type { FaultKind, PlannedFault } from './plan.js';

export interface FaultParts {
  readonly place: Place;
  readonly recovery: Recovery;
  readonly random: Random;
  /** Nothing breaks in this round but processes that are killed. */
  readonly isAlone: boolean;
  /** Told of what Redis has lost; by a power loss behind what is safe, it is none. */
  readonly onLoss: (loss: Omit<Loss, 'until'> & { bytes?: number }) => void;
}

/** Returns once it is over; false when its target was busy with another. */
export async function carryOut(fault: PlannedFault, parts: FaultParts): Promise<boolean> {
  const serverFault = serverFaults[fault.kind];
  if (serverFault) {
    parts.recovery.fault(fault.kind, nowUs());
    await serverFault(fault, parts);
    return true;
  }
  const slot = slotOf(fault, parts.place);
  const part = partOf(fault.kind);
  if (slot.busy.has(part) || (part === 'process' && !slot.isReady)) return false;
  slot.busy.add(part);
  try {
    const lanes = part === 'process' ? parts.recovery.lanesInHand(slot.processName) : undefined;
    const isAlone = parts.isAlone && fault.kind === 'worker killed';
    parts.recovery.fault(isAlone ? 'worker killed, all else whole' : fault.kind, nowUs(), lanes);
    await slotFault(fault, slot);
  } finally {
    slot.busy.delete(part);
  }
  return true;
}

function partOf(kind: FaultKind): 'process' | 'Redis' | 'Postgres' {
  if (kind.startsWith('Redis')) return 'Redis';
  return kind.startsWith('Postgres') ? 'Postgres' : 'process';
}

type ServerFault = (fault: PlannedFault, parts: FaultParts) => Promise<void>;

const serverFaults: Readonly<Partial<Record<FaultKind, ServerFault>>> = {
  'Redis restarted': (_, { place }) => place.redis.restart(),
  'Redis killed': (_, { place }) => place.redis.kill(),
  'Postgres restarted': ({ ms }, { place }) => place.postgres.restart(ms, false),
  'Postgres killed': ({ ms }, { place }) => place.postgres.restart(ms, true),
  'power loss': async (_, { place, random, onLoss }) => onLoss(await place.redis.losePower(random)),
  'replica takes over': async ({ ms }, { place, onLoss }) => onLoss(await place.redis.takeOver(ms)),
};

function slotOf({ kind, target }: PlannedFault, { apps, workers }: Place): ProcessSlot {
  const slots = kind.startsWith('worker') ? workers : kind.startsWith('app') ? apps : [...apps, ...workers];
  return slots[target % slots.length] as ProcessSlot;
}

async function slotFault(fault: PlannedFault, slot: ProcessSlot): Promise<void> {
  if (fault.kind === 'worker paused') await slot.pause(fault.ms);
  else if (fault.kind === 'worker killed' || fault.kind === 'app killed') await slot.kill();
  else await networkFault(fault, partOf(fault.kind) === 'Redis' ? slot.redis : slot.postgres);
}

async function networkFault({ kind, ms, target, ...how }: PlannedFault, proxy: TcpProxy): Promise<void> {
  if (kind.endsWith('cut')) proxy.cut();
  else if (kind.endsWith('slow')) await proxy.slow(5 + (target % 120), ms);
  else if (kind.endsWith('half-open')) await proxy.silence(ms, how);
  else await proxy.loseAnswers(ms);
}
