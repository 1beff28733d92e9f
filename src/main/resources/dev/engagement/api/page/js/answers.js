// What the API answers, as the page's own things: the only place that knows the API's field names. Pure. What is
// missing is null and not zero, lists have a bound, and texts are lines.

import { line } from './format.js';

const MAX_LIST = 1_000;

export const WINDOW_SIZE = '30s';

/** Up to so many users of a window are counted; beyond that a window that does not say so may be an estimate. */
const COUNTED_ONE_BY_ONE = 1_024;

/** A window of metrics_30s; null for a window of another size or rollup. */
export function metricWindow(entry, answer = {}) {
  const size = entry.window_size ?? answer.window_size;
  const type = entry.event_type ?? answer.event_type;
  const start = number(entry.window_start);
  if (
    start === null ||
    typeof type !== 'string' ||
    size !== WINDOW_SIZE ||
    (entry.rollup && entry.rollup !== 'metrics_30s')
  ) {
    return null;
  }
  return {
    eventType: line(type, 64),
    start,
    end: number(entry.window_end) ?? start + 30_000,
    count: number(entry.count),
    total_value: number(entry.total_value),
    unique_users: number(entry.unique_users),
    exact: entry.unique_users_exact ?? (answer.exact === true || !(number(entry.unique_users) > COUNTED_ONE_BY_ONE)),
  };
}

/** GET /metrics/realtime and /metrics/history. */
export function metrics(body) {
  return objects(body.entries)
    .map((entry) => metricWindow(entry, body))
    .filter(Boolean);
}

/** GET /leaderboard, and a message of its change. */
export function leaderboard(body) {
  return {
    by: line(body.by, 32),
    asOf: instant(body.as_of),
    window: number(body.window),
    exact: body.exact !== false,
    places: objects(body.places)
      .slice(0, 100)
      .map((place, i) => ({
        place: number(place.place) ?? i + 1,
        id: String(place.content_id ?? ''),
        title: line(place.title),
        contentType: line(place.content_type, 64),
        score: number(place.score),
        usual: number(place.usual),
        changeMinute: change(place.change_minute),
        changeHour: change(place.change_hour),
      }))
      .filter((place) => place.id !== ''),
  };
}

/** GET /content/{id}. */
export function content(body, id) {
  return {
    id,
    asOf: instant(body.as_of),
    title: line(body.title),
    contentType: line(body.content_type, 64),
    lengthSeconds: number(body.length_seconds),
    published: instant(body.publish_ts),
    count: number(body.count),
    lastEvent: body.last_event ? event(body.last_event) : null,
    audience: body.audience ? audience(body.audience) : null,
    minutes: objects(body.minutes)
      .slice(0, 120)
      .map((minute) => ({ start: instant(minute.minute), count: number(minute.count) ?? 0 }))
      .filter((minute) => minute.start !== null),
    completion: body.completion ? completion(body.completion) : null,
  };
}

/** A window of the rollup audience. */
export function audience(window) {
  return {
    end: instant(window.window_end),
    users: number(window.active_users),
    seconds: number(window.seconds),
    exact: window.unique_users_exact !== false,
  };
}

/** A window of the rollup completion. */
export function completion(window) {
  return {
    start: instant(window.window_start),
    end: instant(window.window_end),
    exact: window.unique_users_exact !== false,
    steps: [
      { name: 'Started', users: number(window.started) },
      { name: 'Reached 25 %', users: number(window.reached_25) },
      { name: 'Reached 50 %', users: number(window.reached_50) },
      { name: 'Reached 75 %', users: number(window.reached_75) },
      { name: 'Finished', users: number(window.finished) },
    ],
  };
}

/** A key of GET /rollups/{name}: its parts, with colons between them. */
export function rollupKey(...parts) {
  return parts.map((part) => part.replaceAll('%', '%25').replaceAll(':', '%3A')).join(':');
}

/** GET /rollups/hourly: its cells. */
export function hourly(body) {
  return objects(body.entries).map(hourlyCell).filter(Boolean);
}

export function hourlyCell(entry) {
  const start = instant(entry.window_start);
  if (start === null) {
    return null;
  }
  return {
    start,
    end: instant(entry.window_end) ?? start + 3_600_000,
    contentType: line(entry.content_type, 64),
    device: line(entry.device, 64),
    count: number(entry.count),
    seconds: number(entry.seconds),
    users: number(entry.unique_users),
    exact: entry.unique_users_exact !== false,
  };
}

/** An enriched event, as the job writes it. */
export function event(body) {
  return {
    id: String(body.event_id ?? ''),
    contentId: String(body.content_id ?? ''),
    title: line(body.title),
    contentType: line(body.content_type, 64),
    eventType: line(body.event_type, 64),
    device: line(body.device, 64),
    at: instant(body.event_ts),
    percent: number(body.engagement_pct),
    seconds: number(body.engagement_seconds),
  };
}

/** GET /stats. */
export function stats(body) {
  const audit = body.last_audit;
  return {
    asOf: instant(body.as_of),
    freshnessMillis: number(body.freshness_ms),
    lag: number(body.lag),
    deadLetters: isObject(body.dead_letters) ? objectOf(body.dead_letters, number) : null,
    circuit: typeof body.circuit === 'string' ? body.circuit.toLowerCase() : null,
    audit: audit ? { at: instant(audit.at), differences: number(audit.differences) } : null,
  };
}

/** The first message of a stream: everything at once. */
export function snapshot(data) {
  return {
    windows: objects(data.metrics)
      .map((entry) => metricWindow(entry))
      .filter(Boolean),
    boards: objects(data.leaderboards)
      .map(leaderboard)
      .filter((board) => board.by !== ''),
  };
}

/** The API's clock, and what is missing in what it tells; null if nothing is. A snapshot says it too. */
export function heartbeat(data) {
  return { asOf: instant(data.as_of), missing: data.stale === true ? line(data.why, 200) || 'not said why' : null };
}

/**
 * What the API's document says of one field of one operation's answer, or null: one text for the documentation, GraphQL
 * and this page.
 */
export function description(openapi, path, field) {
  const operation = openapi?.paths?.[path]?.get;
  const schema = operation?.responses?.['200']?.content?.['application/json']?.schema;
  return find(schema, 0);

  function find(node, depth) {
    if (!node || typeof node !== 'object' || depth > 8) {
      return null;
    }
    if (typeof node.$ref === 'string') {
      const name = node.$ref.split('/').pop();
      return find(openapi.components?.schemas?.[name], depth + 1);
    }
    const own = node.properties?.[field];
    if (own && typeof own.description === 'string') {
      return line(own.description, 600);
    }
    const below = [...Object.values(node.properties ?? {}), node.items, ...(node.allOf ?? []), ...(node.anyOf ?? [])];
    for (const child of below) {
      const found = find(child, depth + 1);
      if (found) {
        return found;
      }
    }
    return null;
  }
}

/** Milliseconds since the epoch, of that or of ISO-8601. */
export function instant(value) {
  if (typeof value === 'string' && !/^-?\d+$/.test(value)) {
    const parsed = Date.parse(value);
    return Number.isNaN(parsed) ? null : parsed;
  }
  return number(value);
}

/** Large numbers may come as strings, as JSON's own are not exact beyond 2^53. */
function number(value) {
  if (typeof value === 'string' && value.trim() !== '') {
    value = Number(value);
  }
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** Null says "was not there", and a missing one "nobody knows". */
function change(value) {
  return value === null ? null : (number(value) ?? undefined);
}

function objects(value) {
  return Array.isArray(value) ? value.filter((item) => item && typeof item === 'object').slice(0, MAX_LIST) : [];
}

function objectOf(value, map) {
  const result = {};
  for (const [name, item] of Object.entries(value).slice(0, 50)) {
    const mapped = map(item);
    if (mapped !== null) {
      result[line(name, 64)] = mapped;
    }
  }
  return result;
}

function isObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
