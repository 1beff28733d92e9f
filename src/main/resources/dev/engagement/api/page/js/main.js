// Brings together what the other modules are: the address, the stream, the questions, the state and the views.

import { createAnnouncer } from './announcer.js';
import { address, createApi } from './api.js';
import { description } from './answers.js';
import { createConflater, subject } from './conflate.js';
import { createConnection } from './connection.js';
import { el, level, text } from './dom.js';
import * as filters from './filters.js';
import { connectionLine, LEVELS, pipelineLine } from './health.js';
import { createPoller } from './poller.js';
import { createQuestions } from './questions.js';
import { concerns, initial, reduce } from './state.js';
import { board } from './views/boards.js';
import { cards } from './views/cards.js';
import { content } from './views/content.js';
import { feed } from './views/feed.js';
import { filterForm, filterSentence } from './views/filters.js';
import { hours } from './views/hours.js';
import { series } from './views/series.js';
import { watching } from './views/watching.js';

/** Often enough to look live, seldom enough to be read. */
const FLUSH_MILLIS = 250;

const now = () => Date.now();
const timers = {
  now,
  random: Math.random,
  setTimer: (run, wait) => setTimeout(run, wait),
  clearTimer: (timer) => clearTimeout(timer),
};
const wall = document.body.dataset.view === 'wall';
const title = document.title;
const calmly = matchMedia('(prefers-reduced-motion: reduce)');
const calm = () => calmly.matches || document.hidden;

let state = initial(filters.read(location.search), now());
/** What was shown when the page was paused, and is shown until it goes on. */
let frozen = null;
let drawing = false;

// ----------------------------------------------------------------------------------------------------------- the state

function dispatch(action) {
  state = reduce(state, action);
  if (!drawing && !document.hidden) {
    drawing = true;
    requestAnimationFrame(draw);
  }
}

// ------------------------------------------------------------------------------------------------------------- the API

const logout = document.getElementById('logout');
const api = createApi({
  fetch: (url, options) => fetch(url, options),
  now,
  onUnauthorized: () => {
    const next = encodeURIComponent(location.pathname + location.search);
    location.replace(`/login?next=${next}`);
  },
  onSession: () => {
    logout.hidden = false;
  },
});

const poller = createPoller(timers);
const questions = createQuestions({ poller, get: api.get, state: () => state, dispatch, now, places: 10 });

const conflater = createConflater({
  key: subject,
  schedule: (run) => setTimeout(run, FLUSH_MILLIS),
  flush: (messages) => dispatch({ type: 'messages', messages, now: now() }),
});

const connection = createConnection({
  ...timers,
  open: (url) => new EventSource(url),
  url: (lastId) => address('/live', { types: state.filters.types.join(','), last_event_id: lastId }),
  onMessage(message) {
    if (concerns(state, message)) {
      conflater.offer(message);
    }
    // A message is of all content types.
    if (state.filters.contentType !== '' && message.event === 'leaderboard' && message.data?.by) {
      questions.boardChanged(String(message.data.by));
    }
  },
  onState(next) {
    const back = next.state === 'live' && state.everLive;
    dispatch({ type: 'connection', connection: next, now: now() });
    if (back) {
      questions.again();
    }
  },
});

// --------------------------------------------------------------------------------------------------------- the address

function go(next, { push = true } = {}) {
  const before = state.filters;
  if (filters.write(next) === filters.write(before)) {
    return;
  }
  if (push) {
    history.pushState(null, '', location.pathname + filters.write(next));
  }
  pausing(false);
  dispatch({ type: 'filters', filters: next });
  colours(next);
  questions.plan(next, { hours: root('hours') !== null });
  if (next.types.join() !== before.types.join()) {
    connection.restart();
  }
}

function choose(id) {
  go({ ...state.filters, content: id });
  if (id !== '') {
    const panel = root('content');
    panel.scrollIntoView({ block: 'start' });
    // Behind the next paint, which shows it.
    requestAnimationFrame(() => requestAnimationFrame(() => panel.querySelector('h3')?.focus({ preventScroll: true })));
  }
}

function colours({ theme }) {
  if (theme) {
    document.documentElement.dataset.theme = theme;
  } else {
    delete document.documentElement.dataset.theme;
  }
}

addEventListener('popstate', () => go(filters.read(location.search), { push: false }));
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[data-content]');
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (link && plain && root('content')) {
    event.preventDefault();
    choose(link.dataset.content);
  }
});

// ----------------------------------------------------------------------------------------------------------- the views

function root(name) {
  return document.querySelector(`[data-panel="${name}"]`);
}

const makers = {
  filters: (place) => filterForm(place, { change: go }),
  sentence: (place) => filterSentence(place),
  cards: (place) => cards(place),
  series: (place) => series(place),
  events: (place) => board(place, 'events', { calm }),
  seconds: (place) => board(place, 'seconds', { calm }),
  trending: (place) => board(place, 'trending', { calm }),
  watching: (place) => watching(place),
  content: (place) => content(place, { choose }),
  hours: (place) => hours(place),
  feed: (place) => feed(place, { most: wall ? 12 : 20 }),
};
const views = Object.entries(makers)
  .filter(([name]) => root(name))
  .map(([name, make]) => make(root(name)));
const connectionStatus = document.getElementById('connection');
const pipelineStatus = document.getElementById('pipeline');
const pause = document.getElementById('pause');
const retry = document.getElementById('retry');

function draw() {
  drawing = false;
  const link = connectionLine(state);
  const pipeline = pipelineLine(state);
  level(connectionStatus, LEVELS[link.level], link.level, link.text);
  level(pipelineStatus, LEVELS[pipeline.level], pipeline.level, `Pipeline: ${pipeline.text}`);
  document.body.dataset.stale = String(link.stale);
  const wanted = state.connection.state === 'lost' ? `■ lost – ${title}` : title;
  if (document.title !== wanted) {
    document.title = wanted;
  }
  if (retry) {
    retry.hidden = state.connection.state !== 'lost';
  }
  const shown = frozen ?? state;
  views.forEach((view) => view(shown));
  announce(link, pipeline);
}

// ---------------------------------------------------------------------------------------------- what is said by itself

const said = document.getElementById('said');
const announcer = createAnnouncer({ ...timers, say: (value) => text(said, value) });
announcer.known('connection', 'Live.');
announcer.known('pipeline', 'The pipeline is well.');

function announce(link, pipeline) {
  // Without numbers that count seconds: they would make each second's sentence a new one.
  if (state.connection.state === 'lost') {
    announcer.announce('connection', 'Connection lost. The numbers are old.', true);
  } else if (state.missing !== null) {
    announcer.announce('connection', 'Nothing new can be told. The numbers are old.', true);
  } else if (link.level === 'ok') {
    announcer.announce('connection', 'Live.', true);
  } else if (link.stale && !state.paused) {
    announcer.announce('connection', 'No new numbers.');
  }
  if (pipeline.level === 'bad') {
    announcer.announce('pipeline', 'The pipeline has a fault.');
  } else if (pipeline.level === 'ok') {
    announcer.announce('pipeline', 'The pipeline is well.');
  }
  const first = state.paused ? null : state.boards.events?.places[0];
  if (first) {
    const leader = `${first.title || first.id} leads by events.`;
    if (announce.leading) {
      announcer.announce('leader', leader);
    } else {
      announce.leading = true;
      announcer.known('leader', leader);
    }
  }
}

// ------------------------------------------------------------------------------------------------- pause, explanations

function pausing(paused) {
  dispatch({ type: 'paused', paused });
  frozen = paused ? state : null;
  pause?.setAttribute('aria-pressed', String(paused));
}

pause?.addEventListener('click', () => pausing(!state.paused));
retry?.addEventListener('click', () => connection.retry());
logout.addEventListener('click', async () => {
  logout.disabled = true;
  if (await api.logOut()) {
    location.replace('/login');
  } else {
    // Whoever walks away has to know that it did not work.
    text(logout, 'Not logged out: try again');
    logout.disabled = false;
  }
});

let openapi = null;

/** Asked for when the first one is opened: the API's own words for what its fields mean. */
async function explain(details) {
  const list = details.querySelector('dl');
  if (!details.open || list.children.length > 0) {
    return;
  }
  try {
    openapi ??= await api.get('/openapi.json');
    const rows = details.dataset.fields
      .split(' ')
      .map((field) => [field, description(openapi, details.dataset.path, field)]);
    list.replaceChildren(
      ...rows
        .filter(([, words]) => words)
        .map(([field, words]) => el('div', {}, el('dt', {}, field), el('dd', {}, words))),
    );
  } catch (problem) {
    list.replaceChildren(
      el('div', {}, el('dt', {}, 'Not known'), el('dd', {}, problem.text ?? 'the document could not be read.')),
    );
  }
}

document.querySelectorAll('details[data-path]').forEach((details) => {
  details.addEventListener('toggle', () => explain(details));
});

// ------------------------------------------------------------------------------------------------- the world around it

addEventListener('online', () => connection.retry());
addEventListener('offline', () => connection.lose('This device has no network'));
addEventListener('pagehide', () => connection.stop());
addEventListener('pageshow', (event) => event.persisted && connection.start());
addEventListener('resize', () => dispatch({ type: 'tick', now: now() }));
document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    poller.sleep();
  } else {
    poller.wake();
    dispatch({ type: 'tick', now: now() });
  }
});
setInterval(() => dispatch({ type: 'tick', now: now() }), 1_000);

colours(state.filters);
connection.start();
questions.plan(state.filters, { hours: root('hours') !== null });
draw();
