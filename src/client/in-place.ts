/** Changes of entries that no script makes: nothing tells that the lanes are others by now. */
import type { LaneGroup } from '../definitions/stores.js';
import type { ClientContext } from './context.js';

/** Acts on entries of a store where they are: again, where its lanes were others. */
export async function inPlace(
  { lanes, routes, breaker }: Pick<ClientContext, 'lanes' | 'routes' | 'breaker'>,
  group: LaneGroup,
  act: () => Promise<unknown>,
): Promise<void> {
  const before = lanes.ofGroup(group);
  await Promise.all([act(), breaker.run(() => routes.refresh())]);
  if (lanes.ofGroup(group) !== before) await act();
}
