/** The page on which one logs in. */
import { html } from '../../peers/hono.js';
import { type Html, shell } from './layout.js';

export function loginPage({ next, problem }: { next: string; problem?: string }): Html {
  const body = html`<main class="login">
  <h1>forebay</h1>
  ${problem === undefined ? '' : html`<p class="problem" role="alert">${problem}</p>`}
  <form method="post" action="/login">
    <input type="hidden" name="next" value="${next}">
    <label>Name <input name="user" autocomplete="username" required autofocus></label>
    <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
    <button>Log in</button>
  </form>
</main>`;
  return shell('Log in', body);
}
