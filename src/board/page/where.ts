/** "Where is my write?": the answer as a sentence, then what it was made of. */

import { duration } from '../../operations/duration.js';
import type { EntryFacts, RecordFacts } from '../../operations/record-facts.js';
import type { RowFacts } from '../../operations/row-facts.js';
import type { RecordWhereabouts, ValueWhereabouts, Whereabouts } from '../../operations/where.js';
import { html } from '../../peers/hono.js';
import type { Identity } from '../access/accounts.js';
import { count } from './figures.js';
import { type Html, live } from './layout.js';
import { letterButtons } from './letters.js';

export function wherePage(
  what: string,
  found: Whereabouts | { readonly problem: string } | undefined,
  identity: Identity,
): Html {
  return html`<form method="get" action="/where" class="search" role="search">
  <label>Record, counter or key <input name="what" value="${what}" placeholder="tasks:42" size="40" required ${what === '' ? html`autofocus` : ''}></label>
  <button>Look</button>
</form>
<p><small><code>STORE:ID</code>; parts of a composite id are joined by commas. Or a cached value's key, <code>namespace:what:id</code>.</small></p>
${found === undefined ? '' : live('answer', 'problem' in found ? html`<p class="problem" role="alert">${found.problem}</p>` : answer(found, identity))}`;
}

function answer(found: Whereabouts, identity: Identity): Html {
  if (found.kind === 'value') return valueAnswer(found, identity);
  return html`<p class="answer ${found.state}">${found.answer}</p>${recordTable(found, identity)}`;
}

function valueAnswer({ answer: said, state, write, ...facts }: ValueWhereabouts, identity: Identity): Html {
  const tags = facts.tags.map(
    ({ tag, version, current }) =>
      html`<li>${tag} ${current === version ? 'as it was' : html`<b>invalidated</b>`}</li>`,
  );
  return html`<p class="answer ${state}">${said}</p>
<table class="facts"><tbody>
  ${fact('Key', facts.key)}
  ${fact('Fill', facts.id)}
  ${fact('Lives for', facts.livesForMs === undefined ? undefined : duration(facts.livesForMs))}
  ${fact('Size', facts.bytes === undefined ? undefined : `${count(facts.bytes)} bytes`)}
  ${fact('Being loaded', facts.isLeased ? 'yes' : undefined)}
  ${tags.length === 0 ? '' : fact('Tags', html`<ul>${tags}</ul>`)}
</tbody></table>
${write === undefined ? '' : html`<h2>Its last write</h2>${recordTable(write, identity)}`}`;
}

function recordTable(found: RecordWhereabouts, identity: Identity): Html {
  const { store, id, kind, version, lane, entry, row } = found;
  const { lastFlush, ledger } = lane;
  return html`<table class="facts"><tbody>
  ${fact(kind === 'record' ? 'Record' : 'Counter', `${store}:${id}`)}
  ${fact('Version', version === undefined ? undefined : html`${version} <small>${isoOf(version)}</small>`)}
  ${pendingFacts(found)}
  ${letterFacts(found, identity)}
  ${fact('Row in Postgres', row && rowText(row))}
  ${fact('Entry in the cache', entry ? entryText(entry) : 'none')}
  ${fact('Lane', html`${lane.name} <small>last version ${lane.version}</small>`)}
  ${fact('Last flush of the lane', ledger?.appliedAt ? html`${timeText(ledger.appliedAt)} <small>batch ${ledger.batch}</small>` : undefined)}
  ${fact('Last sealed batch', lastFlush && html`${timeText(lastFlush.sealedAt)} <small>batch ${lastFlush.batch}</small>`)}
</tbody></table>`;
}

function pendingFacts({ dirty, waiting, sealed }: RecordWhereabouts): Html {
  return html`${fact('Dirty', dirty && html`${recordText(dirty)} ${dirty.since ? html`<small>since ${timeText(dirty.since)}</small>` : ''}`)}
  ${fact('Waits', waiting && `for ${duration(waiting.forMs)} so far`)}
  ${fact(
    'In a sealed batch',
    sealed &&
      html`${recordText(sealed)} <small>batch ${sealed.batch}, sealed ${timeText(sealed.sealedAt)}; failures: ${sealed.failures}</small>`,
  )}`;
}

function letterFacts({ deadLetter, store, id, lane }: RecordWhereabouts, identity: Identity): Html | '' {
  if (deadLetter === undefined) return '';
  const { state, message, record, refusedAt, at } = deadLetter;
  return fact(
    'Dead letter',
    html`<code>${state}</code> ${message} <small>${timeText(refusedAt)}</small>
  ${record ? recordText(record) : ''}
  <div class="actions">${letterButtons(identity, lane.name, { field: `${store}:${id}`, at })}</div>`,
  );
}

function fact(name: string, value: Html | string | undefined): Html | '' {
  return value === undefined ? '' : html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`;
}

function recordText({ does, text }: RecordFacts): Html {
  return html`${does}${text === undefined ? '' : html`<pre>${text}</pre>`}`;
}

function entryText({ holds, version, livesForMs, text }: EntryFacts): Html {
  const lives = livesForMs < 0 ? '' : `, for another ${duration(livesForMs)}`;
  return html`${holds}${lives} ${version === undefined ? '' : html`<small>version ${version}</small>`}${
    text === undefined ? '' : html`<pre>${text}</pre>`
  }`;
}

function rowText({ isThere, version, text, error }: RowFacts): Html {
  if (error !== undefined) return html`<span class="problem">${error}</span>`;
  if (!isThere) return html`none`;
  return html`there ${version === undefined ? '' : html`<small>version ${version}</small>`}<pre>${text ?? ''}</pre>`;
}

function timeText(time: Date): Html {
  return html`<time datetime="${time.toISOString()}">${time.toISOString()}</time>`;
}

/** Versions are µs since 1970. */
function isoOf(version: string): string {
  const ms = Number(version) / 1_000;
  return ms < 8.64e15 ? new Date(ms).toISOString() : '';
}
