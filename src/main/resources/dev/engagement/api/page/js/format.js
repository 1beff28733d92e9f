// Numbers and times as text. Pure: the zone is passed in by tests, and is the browser's otherwise.

export const NOTHING = '–';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const two = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const one = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const clocks = new Map();

export function count(n) {
  return isNumber(n) ? whole.format(n) : NOTHING;
}

export function decimal(n) {
  return isNumber(n) ? two.format(n) : NOTHING;
}

/** For an axis or a narrow place: 1.2K. */
export function compact(n) {
  return isNumber(n) ? short.format(n) : NOTHING;
}

/** A count of users, marked where it is no exact one. */
export function users(n, exact) {
  return !isNumber(n) || exact !== false ? count(n) : `≈ ${whole.format(n)}`;
}

export function percent(part, all) {
  return isNumber(part) && isNumber(all) && all > 0 ? `${one.format((100 * part) / all)} %` : NOTHING;
}

/** How many times the usual: ×2.3. */
export function times(n) {
  return isNumber(n) ? `×${one.format(n)}` : NOTHING;
}

/** The difference to another number in percent of that one, with its sign; nothing if there is none to compare with. */
export function difference(now, then) {
  if (!isNumber(now) || !isNumber(then) || then <= 0) {
    return null;
  }
  const value = Math.round((100 * (now - then)) / then);
  const kind = value > 0 ? 'up' : value < 0 ? 'down' : 'same';
  const sign = value > 0 ? '▲' : value < 0 ? '▼' : '=';
  return { kind, sign, text: value === 0 ? 'the same' : `${whole.format(Math.abs(value))} %` };
}

export function time(ms, zone) {
  return isNumber(ms) ? formatter('time', zone).format(ms) : NOTHING;
}

export function minute(ms, zone) {
  return isNumber(ms) ? formatter('minute', zone).format(ms) : NOTHING;
}

export function dayAndMinute(ms, zone) {
  return isNumber(ms) ? formatter('day', zone).format(ms) : NOTHING;
}

/** A length of time: 8 s, 3 min, 2 h 5 min, 4 days. */
export function span(ms) {
  if (!isNumber(ms)) {
    return NOTHING;
  }
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) {
    return `${seconds} s`;
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) {
    return `${minutes} min`;
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 48) {
    return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  }
  return `${Math.round(hours / 24)} days`;
}

/** Like span, with a fraction where it is short: what a pipeline's delay looks like. */
export function delay(ms) {
  if (isNumber(ms) && ms < 1_000) {
    return `${whole.format(Math.max(0, ms))} ms`;
  }
  return isNumber(ms) && ms < 10_000 ? `${one.format(ms / 1000)} s` : span(ms);
}

/**
 * How far a content has moved on its board.
 *
 * @param change places, positive is up; null if it was not there
 */
export function movement(change, since) {
  if (change === null) {
    return { kind: 'new', sign: '✳', number: 'new', text: `not there ${since} ago` };
  }
  if (!isNumber(change)) {
    return { kind: 'unknown', sign: '·', number: '', text: `place ${since} ago not known` };
  }
  if (change === 0) {
    return { kind: 'same', sign: '=', number: '', text: `same place as ${since} ago` };
  }
  const up = change > 0;
  const by = Math.abs(change);
  const places = `${by} place${by === 1 ? '' : 's'}`;
  return {
    kind: up ? 'up' : 'down',
    sign: up ? '▲' : '▼',
    number: String(by),
    text: `${up ? 'up' : 'down'} ${places} since ${since} ago`,
  };
}

/** A text of somebody else's, for a line: without control characters, which some fonts draw and some terminals obey. */
export function line(text, max = 200) {
  const clean = String(text ?? '')
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .trim();
  const points = [...clean];
  return points.length > max ? `${points.slice(0, max - 1).join('')}…` : clean;
}

function isNumber(n) {
  return typeof n === 'number' && Number.isFinite(n);
}

function formatter(kind, zone) {
  const name = `${kind} ${zone ?? ''}`;
  let found = clocks.get(name);
  if (!found) {
    const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone };
    if (kind === 'time') {
      options.second = '2-digit';
    }
    if (kind === 'day') {
      options.day = 'numeric';
      options.month = 'short';
    }
    found = new Intl.DateTimeFormat('en-GB', options);
    clocks.set(name, found);
  }
  return found;
}
