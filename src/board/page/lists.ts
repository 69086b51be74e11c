/** Pages that are a table: schedules, processes, hottest keys. */

import type { ProcessFacts } from '../../connection/processes.js';
import { duration } from '../../operations/duration.js';
import type { HottestOfStore } from '../../operations/hottest.js';
import type { RunStatus, ScheduleStatus } from '../../operations/status.js';
import { html } from '../../peers/hono.js';
import type { Identity } from '../access/accounts.js';
import { megabytes } from './figures.js';
import { actionButton, ago, type Html, live } from './layout.js';

/** Of an event loop: above it the process hardly answers. */
const lagAlarmMs = 500;

export function schedulesPage(schedules: readonly ScheduleStatus[], identity: Identity): Html {
  if (schedules.length === 0)
    return live('schedules', html`<p>None is defined, or no scheduler was started yet.</p>`);
  const rows = schedules.map(
    ({ schedule, what, cron, timeZone, next, last }) => html`<tr>
  <td>${schedule}</td><td>${what}</td><td><code>${cron}</code> ${timeZone}</td>
  <td><time datetime="${next}" title="${next}">in ${duration(new Date(next).getTime() - Date.now())}</time></td>
  <td class="${last?.state === 'failed' ? 'alarm' : ''}">${last ? lastRun(last) : 'never'}</td>
  <td>${actionButton(identity, `/schedules/${schedule}/run`, 'Run now')}</td>
</tr>`,
  );
  return live(
    'schedules',
    html`<div class="wide"><table>
  <thead><tr><th>Schedule</th><th>Does</th><th>At</th><th>Next run</th><th>Last run</th><th></th></tr></thead>
  <tbody>${rows}</tbody>
</table></div>`,
  );
}

function lastRun({ at, state, ms, reason }: RunStatus): Html {
  const took = ms === undefined ? '' : ` in ${duration(ms)}`;
  return html`${since(new Date(at))}: ${state}${took}${reason === undefined ? '' : `: ${reason}`}`;
}

export function processesPage(processes: readonly ProcessFacts[]): Html {
  if (processes.length === 0) return live('processes', html`<p>No process tells of itself.</p>`);
  const releases = new Set(processes.map(({ release }) => release).filter((one) => one !== ''));
  const mixed = html`<p class="problem">Processes of ${releases.size} releases of the definitions are at work: fine during a deploy.</p>`;
  const rows = processes.map(
    ({ role, host, pid, version, release, startedAt, beatAt, lagMs, memoryBytes }) => html`<tr>
  <td>${role}</td><td>${host}</td><td class="n">${pid}</td><td>${version}</td><td><code>${release}</code></td>
  <td>${since(new Date(startedAt))}</td><td>${since(new Date(beatAt))}</td>
  <td class="n ${lagMs >= lagAlarmMs ? 'alarm' : ''}">${lagMs} ms</td><td class="n">${megabytes(memoryBytes)}</td>
</tr>`,
  );
  return live(
    'processes',
    html`${releases.size > 1 ? mixed : ''}
<div class="wide"><table>
  <thead><tr><th>Role</th><th>Host</th><th class="n">Process</th><th>forebay</th><th>Definitions</th><th>Started</th><th>Heartbeat</th>
    <th class="n">Lag</th><th class="n">Memory</th></tr></thead>
  <tbody>${rows}</tbody>
</table></div>
<p><small>A process tells of itself every five seconds, and is gone from here twenty seconds after its last word. Lag: 99 of 100 turns of its
event loop were late by less.</small></p>`,
  );
}

export function hottestPage(stores: readonly HottestOfStore[], { hasStores }: { hasStores: boolean }): Html {
  if (!hasStores)
    return html`<p>Give the board the definitions (<code>new BoardService({ stores, … })</code>): only they say which stores count reads.</p>`;
  if (stores.length === 0)
    return html`<p>No store counts its reads: those do whose hottest values are warmed, <code>warm: { list: 'hottest' }</code>.</p>`;
  const tables = stores.map(
    ({ store, keys }) => html`<h2>${store}</h2>
${keys.length === 0 ? html`<p>Nothing was read lately.</p>` : html`<table><tbody>${keys.map(({ id, share }) => hotRow(store, id, share))}</tbody></table>`}`,
  );
  return live('hottest', html`${tables}`);
}

function hotRow(store: string, id: string, share: number): Html {
  const search = new URLSearchParams({ what: `${store}:${id}` });
  return html`<tr><td><a href="/where?${search.toString()}">${id}</a></td><td class="n">${(share * 100).toFixed(1)} %</td></tr>`;
}

function since(time: Date): Html {
  return ago(time, duration(Date.now() - time.getTime()));
}
