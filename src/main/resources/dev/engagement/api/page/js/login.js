// Sends the token once; the API keeps it in a cookie that no script can read.

import { safeNext } from './filters.js';
import { span } from './format.js';
import { retryAfter } from './backoff.js';

const form = document.querySelector('form');
const problem = document.getElementById('problem');
const next = safeNext(new URLSearchParams(location.search).get('next'));

function say(words) {
  problem.textContent = words;
  problem.hidden = words === '';
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  say('');
  const button = form.querySelector('button');
  button.disabled = true;
  try {
    const body = new URLSearchParams({ token: form.token.value });
    const response = await fetch(form.action, {
      method: 'POST',
      body,
      headers: { Accept: 'application/json' },
      credentials: 'same-origin',
      redirect: 'manual',
    });
    if (response.ok || response.type === 'opaqueredirect') {
      location.replace(next);
    } else if (response.status === 429) {
      const wait = retryAfter(response.headers.get('Retry-After'), Date.now());
      say(`Too many attempts. Try again${wait > 0 ? ` in ${span(wait)}` : ' later'}.`);
    } else if (response.status === 401 || response.status === 403) {
      say('This token is not known here.');
      form.token.select();
    } else {
      say(`The API answered with status ${response.status}.`);
    }
  } catch {
    say('The API is out of reach.');
  }
  button.disabled = false;
});
