// Everything the page knows, and how a message changes it. Pure: a state is never changed but replaced, and what has
// not changed stays the same object, so that a view can tell by identity whether there is anything to draw. Everything
// in it has a bound: an hour of windows, so many contents, so many lines.

import { shownTypes } from './filters.js';
import * as answers from './answers.js';
import { HOUR, merge } from './windows.js';

export const BOUNDS = Object.freeze({
  types: 12,
  contents: 48,
  feed: 50,
  cells: 120,
  deadLetterSamples: 120,
  devices: 24,
});

/** Windows that begin in the last hour, and a little before its beginning. */
const KEPT_MILLIS = HOUR + 120_000;

export const BOARDS = ['events', 'seconds', 'trending'];

export function initial(filters, now) {
  return {
    now,
    /** The API's clock minus ours. */
    skew: 0,
    filters,
    paused: false,
    connection: { state: 'connecting', since: now, failures: 0, retryAt: null, why: '' },
    lastMessageAt: null,
    everLive: false,
    /** Why the API itself has nothing new to tell, or null. */
    missing: null,
    series: {},
    yesterday: {},
    boards: {},
    contents: {},
    hourly: [],
    feed: [],
    stats: null,
    deadLetterSamples: [],
    devices: [],
    contentTypes: [],
    /** By the question's name: when it was answered last, and what is wrong since. */
    questions: {},
  };
}

/** The API's time, by which windows are open or closed. */
export function serverNow(state) {
  return state.now + state.skew;
}

export function reduce(state, action) {
  switch (action.type) {
    case 'tick':
      return { ...state, now: action.now };
    case 'paused':
      return { ...state, paused: action.paused };
    case 'connection':
      return connection(state, action);
    case 'messages':
      return action.messages.reduce((s, message) => received(s, message), { ...state, now: action.now });
    case 'answer':
      return answered(action.into(state), action);
    case 'failure':
      return failed(state, action);
    case 'filters':
      return filtered(state, action.filters);
    default:
      return state;
  }
}

/** Ids that are on a board now, each once, the first places first. */
export function idsOnBoards(state, most = Infinity) {
  const lists = Object.values(state.boards).map((board) => board.places);
  const ids = new Set();
  const longest = Math.max(0, ...lists.map((places) => places.length));
  for (let i = 0; i < longest; i++) {
    for (const places of lists) {
      if (places[i]) {
        ids.add(places[i].id);
      }
    }
  }
  return [...ids].slice(0, most);
}

/** The title of a content, from wherever it is known. */
export function titleOf(state, id) {
  const known = state.contents[id]?.title;
  if (known) {
    return known;
  }
  for (const board of Object.values(state.boards)) {
    const place = board.places.find((one) => one.id === id);
    if (place?.title) {
      return place.title;
    }
  }
  return id;
}

function connection(state, { now, connection: next }) {
  const same = next.state === state.connection.state;
  return {
    ...state,
    now,
    everLive: state.everLive || next.state === 'live',
    lastMessageAt: next.state === 'live' ? now : state.lastMessageAt,
    connection: { ...next, since: same ? state.connection.since : now },
  };
}

function received(state, { event, data }) {
  const next = { ...state, lastMessageAt: state.now };
  if (!data || typeof data !== 'object') {
    return next;
  }
  switch (event) {
    case 'snapshot': {
      const { windows, boards } = answers.snapshot(data);
      const withBoards = boards.reduce(withBoard, windows.length === 0 ? next : withWindows(next, windows));
      return beaten(withBoards, answers.heartbeat(data));
    }
    case 'heartbeat':
      return beaten(next, answers.heartbeat(data));
    case 'metric':
      return metric(next, data);
    case 'leaderboard':
      // Of one content type the whole board says nothing: main asks for that one.
      return state.filters.contentType === '' ? withBoard(next, answers.leaderboard(data)) : next;
    case 'event':
      return withEvents(next, [answers.event(data)]);
    default:
      return next;
  }
}

/**
 * Whether a message has anything to say here: of all contents' windows most have not, and would crowd out the others.
 */
export function concerns(state, { event, data }) {
  if (!data || typeof data !== 'object') {
    return false;
  }
  if (event !== 'metric' || !data.rollup || data.rollup === 'hourly') {
    return true;
  }
  return (data.rollup === 'audience' || data.rollup === 'completion') && Object.hasOwn(state.contents, data.content_id);
}

function metric(state, data) {
  const window = answers.metricWindow(data);
  if (window) {
    return withWindows(state, [window]);
  }
  if (data.rollup === 'hourly') {
    return withHourly(state, [answers.hourlyCell(data)].filter(Boolean));
  }
  const known = state.contents[data.content_id];
  if (known && data.rollup === 'audience') {
    return withContent(state, { ...known, audience: later(known.audience, answers.audience(data)) });
  }
  if (known && data.rollup === 'completion') {
    return withContent(state, { ...known, completion: later(known.completion, answers.completion(data)) });
  }
  return state;
}

/** A correction of an old window does not take the place of a newer one. */
function later(known, incoming) {
  return known && known.end !== null && incoming.end !== null && known.end > incoming.end ? known : incoming;
}

function beaten(state, { asOf, missing }) {
  return { ...state, missing, skew: asOf === null ? state.skew : asOf - state.now };
}

/** Windows of any event types, from a message or an answer. */
export function withWindows(state, windows) {
  const series = { ...state.series };
  const from = serverNow(state) - KEPT_MILLIS;
  for (const [type, own] of byType(windows)) {
    if (series[type] || Object.keys(series).length < BOUNDS.types) {
      series[type] = merge(series[type] ?? [], own, from);
    }
  }
  return { ...state, series };
}

/** Windows of the day before, where they were: the chart moves them. */
export function withYesterday(state, eventType, windows) {
  const bounded = merge([], windows, -Infinity, 600);
  return { ...state, yesterday: { ...state.yesterday, [eventType]: bounded } };
}

/** A board. Where a message does not say how contents have moved, what the last answer said stands. */
export function withBoard(state, board) {
  if (!BOARDS.includes(board.by)) {
    return state;
  }
  const before = new Map((state.boards[board.by]?.places ?? []).map((place) => [place.id, place]));
  const places = board.places.map((place) => {
    const old = before.get(place.id);
    return {
      ...place,
      title: place.title || old?.title || '',
      contentType: place.contentType || old?.contentType || '',
      changeMinute: place.changeMinute === undefined ? old?.changeMinute : place.changeMinute,
      changeHour: place.changeHour === undefined ? old?.changeHour : place.changeHour,
    };
  });
  return {
    ...state,
    boards: { ...state.boards, [board.by]: { ...board, places } },
    contentTypes: added(
      state.contentTypes,
      places.map((place) => place.contentType),
    ),
  };
}

/** A content; of too many the one that was heard of longest ago is forgotten. */
export function withContent(state, content) {
  const rest = { ...state.contents };
  delete rest[content.id];
  const contents = { ...rest, [content.id]: content };
  const ids = Object.keys(contents);
  for (const id of ids) {
    if (Object.keys(contents).length <= BOUNDS.contents) {
      break;
    }
    if (id !== state.filters.content && id !== content.id) {
      delete contents[id];
    }
  }
  const next = { ...state, contents };
  return content.lastEvent ? withEvents(next, [{ ...content.lastEvent, contentId: content.id }]) : next;
}

export function withHourly(state, cells) {
  const byKey = new Map(state.hourly.map((cell) => [cellKey(cell), cell]));
  for (const cell of cells) {
    byKey.set(cellKey(cell), cell);
  }
  const hourly = [...byKey.values()].sort((a, b) => b.start - a.start || b.count - a.count).slice(0, BOUNDS.cells);
  return {
    ...state,
    hourly,
    devices: added(
      state.devices,
      cells.map((cell) => cell.device),
    ),
    contentTypes: added(
      state.contentTypes,
      cells.map((cell) => cell.contentType),
    ),
  };
}

function cellKey(cell) {
  return JSON.stringify([cell.start, cell.contentType, cell.device]);
}

/** Events, each once, newest first. */
function withEvents(state, events) {
  const known = new Set(state.feed.map((event) => event.id));
  const fresh = events.filter((event) => event.id !== '' && event.at !== null && !known.has(event.id));
  if (fresh.length === 0) {
    return state;
  }
  const feed = [...fresh, ...state.feed].sort((a, b) => b.at - a.at).slice(0, BOUNDS.feed);
  return {
    ...state,
    feed,
    devices: added(
      state.devices,
      fresh.map((event) => event.device),
    ),
  };
}

/** The pipeline's health; dead letters are remembered for as long as their rise matters. */
export function withStats(state, stats) {
  if (stats.deadLetters === null) {
    return { ...state, stats };
  }
  const total = Object.values(stats.deadLetters).reduce((a, b) => a + b, 0);
  const samples = [...state.deadLetterSamples, { at: state.now, total }];
  return { ...state, stats, deadLetterSamples: samples.slice(-BOUNDS.deadLetterSamples) };
}

function answered(state, { name, now }) {
  return { ...state, now, questions: { ...state.questions, [name]: { at: now, problem: null, retryAt: null } } };
}

function failed(state, { name, now, problem, retryAt }) {
  const at = state.questions[name]?.at ?? null;
  return { ...state, now, questions: { ...state.questions, [name]: { at, problem, retryAt } } };
}

function filtered(state, filters) {
  const types = shownTypes(filters, Object.keys(state.series));
  const changedType = filters.contentType !== state.filters.contentType;
  const shown = ([type]) => types.includes(type);
  const still = ([name]) => {
    const [what, which] = name.split(' ');
    switch (what) {
      case 'leaderboard':
        return !changedType;
      case 'content':
        return filters.content === state.filters.content;
      case 'realtime':
      case 'history':
      case 'yesterday':
        return types.includes(which);
      default:
        return true;
    }
  };
  return {
    ...state,
    filters,
    series: only(state.series, shown),
    yesterday: only(state.yesterday, shown),
    // A board of another content type is wrong, not old.
    boards: changedType ? {} : state.boards,
    questions: only(state.questions, still),
  };
}

/** An object's entries that a test lets through; the same object if those are all. */
function only(object, test) {
  const entries = Object.entries(object);
  const kept = entries.filter(test);
  return kept.length === entries.length ? object : Object.fromEntries(kept);
}

function byType(windows) {
  const types = new Map();
  for (const window of windows) {
    const own = types.get(window.eventType);
    if (own) {
      own.push(window);
    } else {
      types.set(window.eventType, [window]);
    }
  }
  return types;
}

/** Names for the filters, each once; the same array if there is nothing new. */
function added(names, more) {
  const fresh = [...new Set(more)].filter((name) => name && !names.includes(name));
  return fresh.length === 0 || names.length >= BOUNDS.devices ? names : [...names, ...fresh].slice(0, BOUNDS.devices);
}
