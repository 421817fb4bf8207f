/**
 * The page's script, which the page works without: it reads the page again every few seconds while somebody looks, and sends the form in place.
 * Markup comes from the same renderer as the page, so nothing is put together here.
 */
export const script = `
'use strict';
(() => {
  const everyMs = 3000;
  const live = document.getElementById('live');
  const state = { busy: false };
  const opened = () => new Set([...document.querySelectorAll('details[open]')].map((each) => each.id));
  const take = (text) => {
    const next = new DOMParser().parseFromString(text, 'text/html');
    const open = opened();
    const focused = document.activeElement === null ? '' : document.activeElement.id;
    for (const section of document.querySelectorAll('[data-live]')) {
      const fresh = next.getElementById(section.id);
      if (fresh === null) continue;
      for (const each of fresh.querySelectorAll('details')) each.open = open.has(each.id);
      if (fresh.innerHTML !== section.innerHTML) section.replaceWith(document.adoptNode(fresh));
    }
    document.title = next.title;
    const again = focused === '' ? null : document.getElementById(focused);
    if (again !== null && again !== document.activeElement) again.focus({ preventScroll: true });
  };
  const look = async () => {
    if (document.hidden || state.busy || getSelection().type === 'Range') return;
    state.busy = true;
    try {
      const answer = await fetch(location.pathname, { headers: { accept: 'text/html' } });
      if (answer.ok) take(await answer.text());
      live.textContent = answer.ok ? 'live' : 'this mirror answers ' + answer.status;
    } catch {
      live.textContent = 'this mirror does not answer';
    } finally {
      state.busy = false;
    }
  };
  document.addEventListener('visibilitychange', look);
  setInterval(look, everyMs);
  live.textContent = 'live';

  const form = document.getElementById('measure-form');
  const said = document.getElementById('measure-said');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('button');
    if (button.disabled) return;
    button.disabled = true;
    said.className = 'quiet';
    said.textContent = 'Measuring…';
    state.busy = true;
    try {
      const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)), headers: { accept: 'text/html' } });
      const text = await answer.text();
      const next = new DOMParser().parseFromString(text, 'text/html').getElementById('measure-said');
      take(text);
      said.className = next === null ? '' : next.className;
      said.textContent = answer.ok ? 'Measured.' : next === null ? 'It failed: ' + answer.status : next.textContent;
    } catch {
      said.className = 'problem';
      said.textContent = 'This mirror does not answer.';
    } finally {
      button.disabled = false;
      state.busy = false;
      button.focus({ preventScroll: true });
    }
  });
})();
`;
