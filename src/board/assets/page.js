/** Keeps the parts of a page that are marked as live as the server has them, while somebody looks at it. */

const everyMs = 2_000;
const state = document.getElementById('live-state');
const isLive = document.querySelector('[data-live]') !== null;

/** Changes `old` into `fresh`, and no more than differs: what has the focus keeps it, what is open stays open. */
function patch(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh.cloneNode(true));
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  patchAttributes(old, fresh);
  const [olds, freshes] = [[...old.childNodes], [...fresh.childNodes]];
  for (const [i, node] of freshes.entries()) {
    if (olds[i]) patch(olds[i], node);
    else old.append(node.cloneNode(true));
  }
  for (const node of olds.slice(freshes.length)) node.remove();
}

function patchAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== 'open') old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

async function look() {
  const answer = await fetch(location.href, { headers: { accept: 'text/html' }, redirect: 'manual' });
  // The session is over: the page's own address leads to the login.
  if (answer.type === 'opaqueredirect') return location.reload();
  if (!answer.ok) throw new Error(await answer.text());
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const part of document.querySelectorAll('[data-live]')) {
    const fresh = page.getElementById(part.id);
    if (fresh) patch(part, fresh);
  }
}

async function lookAgain() {
  if (!document.hidden) {
    try {
      await look();
      state.textContent = `live, as of ${new Date().toLocaleTimeString()}`;
      state.className = '';
    } catch (error) {
      state.textContent = `not live: ${error instanceof Error ? error.message : error}`;
      state.className = 'alarm';
    }
  }
  setTimeout(lookAgain, everyMs);
}

if (isLive) setTimeout(lookAgain, everyMs);
