/**
 * A worker's lanes: as many as Redis says that each store has, looked at again and again. A change of them
 * whose command has died is undone by that, for then nobody may write.
 */
import type { Lane, Lanes } from '../../buffer/lane.js';
import type { LaneRoutes } from '../../buffer/lane-follower.js';
import type { Emit } from '../../events.js';
import type { Resources } from '../../resources.js';
import { every } from '../role/every.js';
import type { LaneLooks } from './lane-looks.js';
import type { LedgerWatch } from './ledger-watch.js';

const lookEveryMs = 1_000;
/** While nothing is awake. A job of a lane that it does not know has it look at once. */
const idleEveryMs = 10_000;

export interface FollowedLanesDependencies {
  readonly lanes: Lanes;
  readonly routes: Pick<LaneRoutes, 'refresh'>;
  readonly looks: Pick<LaneLooks, 'setLanes' | 'isIdle'>;
  readonly ledger: Pick<LedgerWatch, 'compare'>;
  readonly emit: Emit;
}

export class FollowedLanes {
  readonly #dependencies: FollowedLanesDependencies;

  constructor(dependencies: FollowedLanesDependencies) {
    this.#dependencies = dependencies;
  }

  start(parts: Resources): void {
    const { emit, looks } = this.#dependencies;
    const ms = () => (looks.isIdle ? idleEveryMs : lookEveryMs);
    every(parts, 'look at the numbers of lanes', ms, () =>
      this.#look().catch((error: unknown) => emit({ type: 'redis.error', connection: 'lanes', error })),
    );
  }

  /** Undefined: no store has it. @throws what Redis throws */
  async named(name: string): Promise<Lane | undefined> {
    const { lanes } = this.#dependencies;
    if (lanes.isOther(name)) await this.#look();
    return lanes.named(name);
  }

  async #look(): Promise<void> {
    const { lanes, routes, looks, ledger } = this.#dependencies;
    if (!(await routes.refresh())) return;
    looks.setLanes(lanes);
    void ledger.compare(lanes.all);
  }
}
