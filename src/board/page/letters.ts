/** Dead letters: found by store, id and error, grouped by what the database says. */

import { duration } from '../../operations/duration.js';
import type { FoundLetter, FoundLetters, LetterGroup, LetterQuery } from '../../operations/letter-search.js';
import { html } from '../../peers/hono.js';
import type { Identity } from '../access/accounts.js';
import { count } from './figures.js';
import { actionButton, ago, finalButton, type Html, live } from './layout.js';

export interface LettersView extends FoundLetters {
  readonly query: LetterQuery;
  readonly stores: readonly string[];
  readonly identity: Identity;
}

const shownMax = 100;
const messageMax = 300;

export function lettersPage(view: LettersView): Html {
  return html`${searchForm(view)}
${live('found', view.letters.length === 0 ? html`<p>No dead letters${isAny(view.query) ? ' that are like this' : ''}.</p>` : found(view))}`;
}

function searchForm({ query, stores }: LettersView): Html {
  const options = stores.map(
    (name) => html`<option ${name === query.store ? html`selected` : ''}>${name}</option>`,
  );
  return html`<form method="get" action="/letters" class="search" role="search">
  <label>Store <select name="store"><option value="">any</option>${options}</select></label>
  <label>Id has <input name="id" value="${query.id ?? ''}"></label>
  <label>Error has <input name="error" value="${query.error ?? ''}"></label>
  <button>Search</button>
</form>`;
}

function isAny({ store, id, error, group }: LetterQuery): boolean {
  return Boolean(store || id || error || group);
}

function found(view: LettersView): Html {
  const { letters, groups, isCut, identity, query } = view;
  // What came after the latest of these, nobody has seen yet.
  const seen = { ...queryFields(query), until: letters[0]?.name.at ?? '' };
  return html`${isCut ? html`<p class="problem">There are more than these; the oldest of each lane are shown.</p>` : ''}
<h2>${count(groups.length)} ${groups.length === 1 ? 'error' : 'errors'}, ${count(letters.length)} ${letters.length === 1 ? 'letter' : 'letters'}</h2>
<div class="wide"><table>
  <thead><tr><th class="n">Letters</th><th>Store</th><th>The database says</th><th>Latest</th><th></th></tr></thead>
  <tbody>${groups.map((group) => groupRow(group, seen, identity))}</tbody>
</table></div>
<h2>${letters.length > shownMax ? `The latest ${shownMax}` : 'Each'}</h2>
<div class="wide"><table>
  <thead><tr><th>Record</th><th>Refused</th><th>The database says</th><th></th></tr></thead>
  <tbody>${letters.slice(0, shownMax).map((letter) => letterRow(letter, identity))}</tbody>
</table></div>`;
}

function groupRow(
  { key, store, error, count: many, last }: LetterGroup,
  seen: Readonly<Record<string, string>>,
  identity: Identity,
): Html {
  const fields = { ...seen, group: key };
  const search = new URLSearchParams({ store, group: key });
  return html`<tr>
  <td class="n"><a href="/letters?${search.toString()}">${count(many)}</a></td>
  <td>${store}</td><td><code>${error.state}</code> ${said(error.message)}</td><td>${since(last)}</td>
  <td class="actions">${actionButton(identity, '/letters/replay', 'Replay all', fields)}
    ${finalButton(identity, '/letters/discard', 'Discard all', fields)}</td>
</tr>`;
}

function letterRow({ store, id, lane, refusedAt, error, name }: FoundLetter, identity: Identity): Html {
  const search = new URLSearchParams({ what: `${store}:${id}` });
  return html`<tr>
  <td><a href="/where?${search.toString()}">${store}:${id}</a></td>
  <td>${since(refusedAt)}</td><td><code>${error.state}</code> ${said(error.message)}</td>
  <td class="actions">${letterButtons(identity, lane, name)}</td>
</tr>`;
}

/** Of one letter. */
export function letterButtons(
  identity: Identity,
  lane: string,
  { field, at }: { readonly field: string; readonly at: string },
): Html {
  const fields = { lane, field, at };
  return html`${actionButton(identity, '/letters/replay', 'Replay', fields)} ${finalButton(identity, '/letters/discard', 'Discard', fields)}`;
}

function said(message: string): string {
  return message.length <= messageMax ? message : `${message.slice(0, messageMax)}…`;
}

function since(time: Date): Html {
  return ago(time, duration(Date.now() - time.getTime()));
}

function queryFields({ store, id, error }: LetterQuery): Record<string, string> {
  const fields = Object.entries({ store, id, error }).flatMap(([name, value]) =>
    value ? [[name, value]] : [],
  );
  return Object.fromEntries(fields) as Record<string, string>;
}
