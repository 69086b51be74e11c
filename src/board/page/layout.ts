/** What all pages have in common. Whatever is put into them is escaped, by hono's `html`. */

import type { HtmlEscapedString } from 'hono/utils/html';
import { html } from '../../peers/hono.js';
import type { Identity } from '../access/accounts.js';

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

export interface Frame {
  readonly title: string;
  /** The path that the page's link leads to. */
  readonly path: string;
  readonly identity: Identity;
  /** What was just done, to be said. */
  readonly done?: string | undefined;
}

const links = [
  ['/', 'Overview'],
  ['/where', 'Where is my write?'],
  ['/letters', 'Dead letters'],
  ['/schedules', 'Schedules'],
  ['/processes', 'Processes'],
  ['/hottest', 'Hottest keys'],
  ['/queues', 'Queues'],
] as const;

export function layout({ title, path, identity, done }: Frame, body: Html): Html {
  const account = html`<form method="post" action="/logout" class="account">
    <span>${identity.user} (${identity.role})</span> <button class="quiet">Log out</button>
  </form>`;
  return shell(
    title,
    html`<header>
  <a class="skip" href="#main">To the content</a>
  <strong class="brand">forebay</strong>
  <nav aria-label="Pages">${links.map(
    ([to, name]) => html`<a href="${to}" ${to === path ? html`aria-current="page"` : ''}>${name}</a>`,
  )}</nav>
  ${identity.user === '' ? '' : account}
</header>
<main id="main" tabindex="-1">
  <div class="head"><h1>${title}</h1><p id="live-state" role="status"></p></div>
  ${done ? html`<p class="done" role="status">${done}</p>` : ''}
  ${body}
</main>`,
  );
}

export function shell(title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · forebay</title>
<link rel="icon" href="/assets/logo.svg">
<link rel="stylesheet" href="/assets/page.css">
<script type="module" src="/assets/page.js"></script>
</head>
<body>
${body}
</body>
</html>`;
}

/** A part that is kept as the server has it, while it is looked at. */
export function live(id: string, body: Html): Html {
  return html`<section data-live id="${id}">${body}</section>`;
}

/** A button that changes something; none for readers. */
export function actionButton(
  { role }: Identity,
  action: string,
  label: string,
  fields: Readonly<Record<string, string>> = {},
): Html | '' {
  if (role === 'reader') return '';
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`<form method="post" action="${action}" class="action">${inputs}<button>${label}</button></form>`;
}

/** The same behind a second press: it can't be undone. */
export function finalButton(
  identity: Identity,
  action: string,
  label: string,
  fields: Readonly<Record<string, string>>,
): Html | '' {
  const button = actionButton(identity, action, `${label} for good`, fields);
  return button === '' ? '' : html`<details class="final"><summary>${label}…</summary>${button}</details>`;
}

/** How long ago something was, and when. */
export function ago(time: Date, text: string): Html {
  return html`<time datetime="${time.toISOString()}" title="${time.toISOString()}">${text} ago</time>`;
}
