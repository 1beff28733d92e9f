// How long to wait before the next attempt. Pure.

export const INITIAL_MILLIS = 1_000;
export const MAX_MILLIS = 30_000;

/**
 * Doubles with each failure. Between half of it and all of it, so that many pages do not come back at once.
 *
 * @param failures in a row, from 1
 * @param random in [0, 1)
 * @param atLeast what the server asked for, in milliseconds
 */
export function backoff(failures, random, atLeast = 0) {
  const full = Math.min(MAX_MILLIS, INITIAL_MILLIS * 2 ** Math.min(failures - 1, 10));
  return Math.max(atLeast, Math.round(full * (0.5 + random / 2)));
}

/** Retry-After in milliseconds: seconds or a date; 0 if it is neither. */
export function retryAfter(header, now) {
  if (!header) {
    return 0;
  }
  const seconds = Number(header);
  const millis = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
  return Number.isFinite(millis) ? Math.min(Math.max(0, millis), 10 * 60_000) : 0;
}
