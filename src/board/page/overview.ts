/** The overview: how far behind the database is, first; then the last hour's flushes, store by store. */

import { duration } from '../../operations/duration.js';
import { ageOf, type BacklogStatus } from '../../operations/status.js';
import { html } from '../../peers/hono.js';
import type { Identity } from '../access/accounts.js';
import type { Overview } from '../facts.js';
import { chart, sparkline } from './chart.js';
import { count } from './figures.js';
import { lately, ofGroup, seriesOf } from './history.js';
import { actionButton, type Html, live } from './layout.js';

/** A store's delay is 2 s at most while the database is slow: what is older than this stands still. */
export const alarmAgeMs = 10_000;

export function overviewPage(overview: Overview, identity: Identity): Html {
  return html`${live('figures', figures(overview))}
${live('charts', charts(overview))}
${live('stores', storeTable(overview, identity))}
${live('queues', queueTable(overview, identity))}`;
}

function figures({ backlog, history }: Overview): Html {
  const sum = (name: 'dirty' | 'sealed' | 'dead'): number =>
    backlog.reduce((total, store) => total + store[name], 0);
  const ageMs = Math.max(0, ...backlog.map((store) => store.ageMs));
  const waiting = sum('dirty') + sum('sealed');
  const { rows } = seriesOf(history);
  return html`<dl class="figures">
  ${figure('Oldest not in the database', ageMs === 0 ? 'none' : duration(ageMs), ageMs >= alarmAgeMs ? 'alarm' : '')}
  ${figure('Backlog', `${count(waiting)} ${waiting === 1 ? 'record' : 'records'}`, ageMs >= alarmAgeMs ? 'alarm' : '')}
  ${figure('Dead letters', count(sum('dead')), sum('dead') > 0 ? 'warning' : '', '/letters')}
  ${figure('Rows a second', count(lately(rows)))}
</dl>`;
}

function figure(name: string, value: string, kind = '', to = ''): Html {
  return html`<div class="${kind}"><dt>${name}</dt><dd>${to === '' ? value : html`<a href="${to}">${value}</a>`}</dd></div>`;
}

function charts({ history }: Overview, isMeant?: (lane: string) => boolean): Html {
  const { times, rows, flushMs } = seriesOf(history, isMeant);
  return html`<div class="charts">
  ${chart(rows, { title: 'Rows a second', unit: 'rows/s', format: count, times })}
  ${chart(flushMs, { title: 'Time of a flush', unit: 'ms', format: (ms) => count(Math.round(ms)), times })}
</div>`;
}

function storeTable({ backlog, history, paused }: Overview, identity: Identity): Html {
  if (backlog.length === 0) return html`<h2>Stores</h2><p>Nothing was written yet.</p>`;
  const rows = backlog.map((store) => storeRow(store, { history, paused, identity }));
  return html`<h2>Stores</h2>
<div class="wide"><table>
  <thead><tr><th>Store</th><th class="n">Oldest</th><th class="n">Dirty</th><th class="n">Sealed</th><th class="n">Waiting</th>
    <th class="n">Dead</th><th class="n">Rows/s</th><th class="n">Flush, ms</th><th>Last hour</th><th></th></tr></thead>
  <tbody>${rows}</tbody>
</table></div>`;
}

function storeRow(
  { store, dirty, sealed, waiting, dead, ageMs }: BacklogStatus,
  { history, paused, identity }: Pick<Overview, 'history' | 'paused'> & { identity: Identity },
): Html {
  const { rows, flushMs } = seriesOf(history, ofGroup(store));
  const isPaused = paused.has(store);
  const path = `/stores/${store}`;
  return html`<tr>
  <td><a href="${path}">${store}</a> ${isPaused ? html`<b class="tag">paused</b>` : ''}</td>
  <td class="n ${ageMs >= alarmAgeMs ? 'alarm' : ''}">${ageMs === 0 ? '' : duration(ageMs)}</td>
  <td class="n">${count(dirty)}</td><td class="n">${count(sealed)}</td><td class="n">${count(waiting)}</td>
  <td class="n">${dead === 0 ? '0' : html`<a href="/letters?store=${store}">${count(dead)}</a>`}</td>
  <td class="n">${count(lately(rows))}</td><td class="n">${count(Math.round(lately(flushMs)))}</td>
  <td class="spark">${sparkline(rows, `${store}: rows a second in the last hour`)}</td>
  <td>${actionButton(identity, `${path}/${isPaused ? 'resume' : 'pause'}`, isPaused ? 'Resume' : 'Pause')}</td>
</tr>`;
}

function queueTable({ queues }: Overview, identity: Identity): Html {
  const rows = queues.map(({ name, waiting, active, delayed, failed, isPaused }) => {
    const path = `/queue-states/${name}/${isPaused ? 'resume' : 'pause'}`;
    return html`<tr>
  <td><a href="/queues/queue/${name}">${name}</a> ${isPaused ? html`<b class="tag">paused</b>` : ''}</td>
  ${[waiting, active, delayed, failed].map((value) => html`<td class="n">${count(value)}</td>`)}
  <td>${actionButton(identity, path, isPaused ? 'Resume' : 'Pause')}</td>
</tr>`;
  });
  return html`<h2>Queues</h2>
<div class="wide"><table>
  <thead><tr><th>Queue</th><th class="n">Waiting</th><th class="n">Active</th><th class="n">Delayed</th><th class="n">Failed</th><th></th></tr></thead>
  <tbody>${rows}</tbody>
</table></div>`;
}

/** A store, lane by lane. */
export function storePage(overview: Overview, name: string): Html | undefined {
  const store = overview.backlog.find((one) => one.store === name);
  if (store === undefined) return undefined;
  const rows = store.lanes.map(({ lane, state }) => {
    const series = seriesOf(overview.history, (one) => one === lane);
    return html`<tr>
  <td>${lane}</td>
  <td class="n ${ageOf(state) >= alarmAgeMs ? 'alarm' : ''}">${ageOf(state) === 0 ? '' : duration(ageOf(state))}</td>
  ${[state.dirty, state.sealed, state.waiting, state.dead, state.persisted, state.batches].map(
    (value) => html`<td class="n">${count(value)}</td>`,
  )}
  <td class="n">${count(lately(series.rows))}</td><td class="n">${count(Math.round(lately(series.flushMs)))}</td>
  <td class="spark">${sparkline(series.rows, `${lane}: rows a second in the last hour`)}</td>
</tr>`;
  });
  return html`${live('charts', charts(overview, ofGroup(name)))}
${live(
  'lanes',
  html`<h2>Lanes</h2><div class="wide"><table>
  <thead><tr><th>Lane</th><th class="n">Oldest</th><th class="n">Dirty</th><th class="n">Sealed</th><th class="n">Waiting</th><th class="n">Dead</th>
    <th class="n">Persisted</th><th class="n">Batches</th><th class="n">Rows/s</th><th class="n">Flush, ms</th><th>Last hour</th></tr></thead>
  <tbody>${rows}</tbody>
</table></div>`,
)}`;
}
