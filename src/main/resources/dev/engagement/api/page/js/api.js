// GET, with a timeout, at most so many at once, and problems as something to show.

import { retryAfter } from './backoff.js';
import { line } from './format.js';

const TIMEOUT_MILLIS = 10_000;
const MAX_AT_ONCE = 4;

/** RFC 9457, or what is known without an answer. */
export class Problem extends Error {
  constructor(status, text, retryAfterMillis = 0) {
    super(text);
    this.status = status;
    this.text = text;
    this.retryAfterMillis = retryAfterMillis;
  }
}

/**
 * @param fetch of the browser
 * @param onUnauthorized called when the API wants a token
 * @param onSession called when it took the one of the cookie, which nobody here can see
 */
export function createApi({ fetch, now, onUnauthorized, onSession = () => {} }) {
  let running = 0;
  const waiting = [];

  async function place() {
    if (running >= MAX_AT_ONCE) {
      await new Promise((resolve) => waiting.push(resolve));
    }
    running++;
  }

  async function get(path, parameters = {}) {
    await place();
    try {
      return await ask(address(path, parameters));
    } finally {
      running--;
      waiting.shift()?.();
    }
  }

  async function ask(url) {
    let response;
    try {
      response = await fetch(url, {
        headers: { Accept: 'application/json' },
        credentials: 'same-origin',
        signal: AbortSignal.timeout(TIMEOUT_MILLIS),
      });
    } catch (e) {
      throw new Problem(
        0,
        e?.name === 'TimeoutError' ? `no answer within ${TIMEOUT_MILLIS / 1000} s.` : 'the API is out of reach.',
      );
    }
    if (response.headers.get('Engagement-Session') === 'cookie') {
      onSession();
    }
    if (response.ok) {
      try {
        return await response.json();
      } catch {
        throw new Problem(response.status, 'the answer could not be read.');
      }
    }
    if (response.status === 401) {
      onUnauthorized();
    }
    throw new Problem(response.status, await why(response), retryAfter(response.headers.get('Retry-After'), now()));
  }

  /** Lets the browser forget the token; false if that was not to be had. */
  async function logOut() {
    try {
      const response = await fetch('/logout', {
        method: 'POST',
        headers: { Accept: 'application/json' },
        credentials: 'same-origin',
        signal: AbortSignal.timeout(TIMEOUT_MILLIS),
      });
      return response.ok;
    } catch {
      return false;
    }
  }

  async function why(response) {
    try {
      const { title, detail, wayOut } = await response.json();
      return (
        line([detail ?? title, wayOut].filter(Boolean).map(sentence).join(' '), 300) || `status ${response.status}.`
      );
    } catch {
      return `status ${response.status}.`;
    }
  }

  return { get, logOut };
}

function sentence(words) {
  const trimmed = String(words).trim();
  return /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** A path with its query; parameters that are empty are left out. */
export function address(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== '' && value !== null && value !== undefined) {
      query.set(name, String(value));
    }
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/**
 * All entries of a range, though an answer has a limit: asks again for what lies before the oldest (or behind the
 * newest) one.
 *
 * @param page answers the windows of [from, to]
 */
export async function range({ page, from, to, limit, maxPages }) {
  const all = new Map();
  for (let i = 0; i < maxPages && from <= to; i++) {
    const windows = await page(from, to);
    const before = all.size;
    windows.forEach((window) => all.set(window.start, window));
    if (windows.length < limit || all.size === before) {
      break;
    }
    const first = windows[0].start;
    const last = windows[windows.length - 1].start;
    if (first > last) {
      to = last - 1;
    } else {
      from = last + 1;
    }
  }
  return [...all.values()];
}
