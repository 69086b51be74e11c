/** What of a batch people may see. */
import { type Batch, type PutRecord, rowsOf } from '../../buffer/batch.js';
import { shownMessage } from '../../definitions/private-fields.js';
import type { LaneGroup } from '../../definitions/stores.js';
import { fieldOf } from '../../keys.js';

/** What the database says of a batch, or of some fields of it, without their private values. */
export function shownOf(
  message: string,
  batch: Batch,
  { records }: LaneGroup,
  fields?: readonly string[],
): string {
  return records.reduce((text, store) => {
    const isMeant = ({ idKey }: PutRecord) => fields?.includes(fieldOf(store.name, idKey)) ?? true;
    const jsons = rowsOf(batch, store)
      .puts.filter(isMeant)
      .map(({ json }) => json);
    return shownMessage(text, jsons, store);
  }, message);
}
