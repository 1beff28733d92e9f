// The whole page in Node: its own HTML and modules in a small document, against the fake server over real HTTP. Waits
// for what is to come and never for a time.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { documentOf } from './fake-dom.mjs';
import { FakeApi, PAGE } from './fake-server.mjs';

const GUARD_MILLIS = 5 * 60_000;

let realFetch = fetch;
const realSetTimeout = setTimeout;
const realSetInterval = setInterval;
let api;
let base;
let loads = 0;
let page;

before(async () => {
  api = new FakeApi();
  base = `http://127.0.0.1:${await api.start()}`;
});
afterEach(() => api.become('back'));
after(() => api.stop());

/** Server-sent events over fetch, as far as the page needs them. */
class FetchedEvents {
  #abort = new AbortController();
  #listeners = {};

  constructor(url) {
    page.streams.push(url);
    this.#read(url).catch(() => this.#end());
  }

  addEventListener(event, listener) {
    this.#listeners[event] = listener;
  }

  close() {
    this.#abort.abort();
  }

  #end() {
    if (!this.#abort.signal.aborted) {
      this.onerror();
    }
  }

  async #read(url) {
    const response = await realFetch(base + url, { signal: this.#abort.signal });
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const fields = Object.fromEntries(
          text
            .slice(0, end)
            .split('\n')
            .map((line) => line.split(/: (.*)/s)),
        );
        text = text.slice(end + 2);
        this.#listeners[fields.event]?.({ data: fields.data, lastEventId: fields.id });
      }
    }
    this.#end();
  }
}

/** The page at an address, in a world of its own. */
async function open(file, search = '') {
  const windowListeners = new Map();
  const document = documentOf(readFileSync(`${PAGE}${file}`, 'utf8'));
  page = { document, streams: [], asked: [], answers: [], timers: [], pushed: [], left: null };
  const own = page;
  const kept = (timer) => {
    own.timers.push(timer.unref());
    return timer;
  };
  Object.assign(globalThis, {
    document,
    location: { search, pathname: '/', replace: (to) => (own.left = to) },
    history: { pushState: (state, title, to) => own.pushed.push(to) },
    matchMedia: () => ({ matches: false }),
    getComputedStyle: () => ({ fontSize: '16px' }),
    requestAnimationFrame: (run) => kept(realSetTimeout(run, 0)),
    addEventListener: (type, listener) => windowListeners.set(type, listener),
    EventSource: FetchedEvents,
    fetch: (url, options) => {
      own.asked.push(url);
      own.answers.push(realFetch(base + url, options));
      return own.answers.at(-1);
    },
    setTimeout: (...all) => kept(realSetTimeout(...all)),
    setInterval: (...all) => kept(realSetInterval(...all)),
  });
  own.hide = () => {
    document.hidden = true;
    document.fire('visibilitychange');
  };
  // It knows the document as a global: nothing of it may still be under way when the next one is opened.
  own.leave = async () => {
    windowListeners.get('pagehide')({});
    own.hide();
    // A question that waits for its turn is asked when one before it was answered and read.
    for (let calm = 0, asked = own.answers.length; calm < 3; calm = own.answers.length === asked ? calm + 1 : 0) {
      asked = own.answers.length;
      own.timers.forEach(clearTimeout);
      await Promise.allSettled(own.answers);
      await pause(10);
    }
  };
  await import(`${new URL(`file://${PAGE}js/main.js`)}?load=${loads++}`);
  return own;
}

async function until(what, condition) {
  const end = Date.now() + GUARD_MILLIS;
  while (!condition()) {
    assert.ok(Date.now() < end, what);
    await pause(20);
  }
}

const panel = (name) => page.document.querySelector(`[data-panel="${name}"]`);
const shown = (name) => panel(name).textContent;
const connection = () => page.document.getElementById('connection');
const pipeline = () => page.document.getElementById('pipeline');

test('every panel is filled, from what the API answers', async () => {
  const { document, leave } = await open('index.html');
  await until('live', () => connection().dataset.level === 'ok');
  await until('cards', () => /[1-9]/.test(panel('cards').querySelector('.big')?.textContent ?? ''));
  await until('yesterday', () => /yesterday [1-9]/.test(shown('series')));
  for (const name of ['events', 'seconds', 'trending']) {
    await until(name, () => panel(name).querySelectorAll('li').length === 10);
  }
  await until('sparklines', () =>
    panel('events')
      .querySelectorAll('path')
      .some((path) => path.getAttribute('d')),
  );
  await until('an audience that is an estimate', () => shown('watching').includes('≈ 1,500 estimate'));
  await until('feed', () => panel('feed').querySelectorAll('li').length > 3);
  await until('hours', () => panel('hours').querySelectorAll('tr').length === 13);
  await until('health', () => pipeline().dataset.level === 'ok');
  assert.match(pipeline().textContent, /OK Pipeline: freshness 28 ms/);
  const chart = panel('series').querySelector('svg');
  assert.ok(chart.querySelector('.today').getAttribute('d').length > 100);
  assert.ok(chart.querySelector('.yesterday').getAttribute('d').length > 100);
  assert.equal(document.body.dataset.stale, 'false');

  const markup = panel('events')
    .querySelectorAll('a')
    .find((link) => link.textContent.startsWith('<img'));
  assert.equal(markup.textContent, '<img src=x onerror=alert(1)> <b>bold</b> & "quoted"');
  assert.equal(markup.children.length, 0);
  await leave();
});

test('a table stands behind each chart, and is there only while it is open', async () => {
  const { leave } = await open('index.html');
  await until('closed windows', () => /events until/.test(shown('series')));
  const details = panel('series').querySelector('details');
  assert.equal(details.querySelector('table'), null);
  details.open = true;
  details.fire('toggle');
  await until('rows', () => details.querySelectorAll('tr').length > 90);
  details.open = false;
  details.fire('toggle');
  assert.equal(details.querySelector('table'), null);
  await leave();
});

test('a title that is markup is shown as the text that it is, wherever it is shown', async () => {
  const evil = '<img src=x onerror=alert(1)> <b>bold</b> & "quoted"';
  const { document, leave } = await open('index.html', '?content=00000000-0000-4000-8000-000000000003');
  await until('on a board', () => shown('events').includes(evil) || shown('trending').includes(evil));
  await until('as the content', () => shown('content').includes(evil));
  for (const tag of ['img', 'b']) {
    assert.equal(document.querySelectorAll(tag).length, 0, tag);
  }
  await leave();
});

test('a content is opened by its link, and the address says so', async () => {
  const { document, pushed, leave } = await open('index.html');
  await until('a board', () => panel('events').querySelectorAll('a').length === 10);
  const link = panel('events').querySelector('a');
  assert.match(link.getAttribute('href'), /^\/\?content=0{8}-/);
  let prevented = false;
  link.fire('click', { preventDefault: () => (prevented = true) });
  assert.ok(prevented);
  await until('its funnel', () => panel('content').querySelectorAll('.funnel-bar').length === 5);
  await until('its title has the focus', () => document.activeElement?.textContent === link.textContent);
  assert.match(pushed[0], /^\/\?content=0{8}-/);
  assert.match(shown('content'), /Started.*100 %.*Finished.*31 %/);
  assert.match(shown('content'), /Events in all\d/);
  await leave();
});

test('an address that was sent shows what it says', async () => {
  const { document, streams, asked, leave } = await open(
    'index.html',
    '?types=play&content_type=video&device=tv&theme=dark',
  );
  await until('live', () => connection().dataset.level === 'ok');
  await until('boards', () => panel('events').querySelectorAll('li').length > 0);
  assert.deepEqual(streams, ['/live?types=play']);
  assert.ok(asked.some((url) => /^\/leaderboard\?by=events&limit=10&type=video$/.test(url)));
  assert.ok(!asked.some((url) => /event_type=click/.test(url)));
  assert.equal(panel('series').querySelectorAll('.chart').length, 1);
  assert.equal(document.documentElement.dataset.theme, 'dark');
  assert.match(shown('series'), /Of all content types and devices: these numbers are not split by them/);
  await until('only this device', () => panel('hours').querySelectorAll('td').length > 0);
  assert.ok(
    panel('hours')
      .querySelectorAll('tr')
      .slice(1)
      .every((row) => /tv/.test(row.textContent)),
  );
  await leave();
});

test('a filter goes into the address and asks only for what it changes', async () => {
  const { pushed, asked, streams, leave } = await open('index.html');
  await until('live', () => connection().dataset.level === 'ok');
  await until('all is asked', () => panel('hours').querySelectorAll('tr').length === 13);
  const select = panel('filters').querySelector('#measure');
  asked.length = 0;
  select.value = 'unique_users';
  panel('filters').querySelector('form').fire('change');
  await until('the chart', () => /unique users until/.test(shown('series')));
  assert.deepEqual(pushed, ['/?measure=unique_users']);
  assert.ok(!asked.some((url) => url.startsWith('/metrics/history')), 'the same windows');
  assert.equal(streams.length, 1);
  const play = panel('filters')
    .querySelectorAll('input')
    .find((input) => input.value === 'play');
  play.checked = true;
  panel('filters').querySelector('form').fire('change');
  await until('one chart', () => panel('series').querySelectorAll('.chart').length === 1);
  assert.equal(pushed.at(-1), '/?types=play&measure=unique_users');
  assert.equal(streams.at(-1), '/live?types=play');
  await leave();
});

test('the connection is lost, that is said, and it comes back by itself where it was', async () => {
  const { document, streams, leave } = await open('index.html');
  await until('live', () => connection().dataset.level === 'ok');
  await until('a board', () => panel('events').querySelectorAll('li').length === 10 && /As of/.test(shown('events')));
  api.become('lose');
  await until('lost', () => connection().dataset.level === 'bad');
  assert.match(connection().textContent, /Fault Connection lost\. All below is of \d\d:\d\d:\d\d/);
  assert.equal(document.body.dataset.stale, 'true');
  assert.match(document.title, /lost/);
  assert.equal(document.getElementById('retry').hidden, false);
  await until('each panel says it', () => /Stale, as of .*out of reach/.test(shown('events')));
  await until('it is said aloud', () => /Connection lost/.test(document.getElementById('said').textContent));
  api.become('back');
  await until('live again', () => connection().dataset.level === 'ok');
  assert.match(streams.at(-1), /last_event_id=\d+/);
  assert.equal(document.body.dataset.stale, 'false');
  await until('panels are of now again', () => !/Stale/.test(shown('events')));
  await until('it is said aloud', () => /Live\./.test(document.getElementById('said').textContent));
  await leave();
});

test('Redis away: what is shown says why it is old, history goes on, it recovers', async () => {
  const { leave } = await open('index.html');
  await until('health', () => pipeline().dataset.level === 'ok');
  await until('a board', () => panel('events').querySelectorAll('li').length === 10 && /As of/.test(shown('events')));
  api.become('redis');
  page.document.hidden = true;
  page.document.fire('visibilitychange');
  page.document.hidden = false;
  page.document.fire('visibilitychange');
  await until('said', () =>
    /Redis does not answer\. it is tried again by itself\. Asking again in/.test(shown('events')),
  );
  assert.equal(panel('events').querySelectorAll('li').length, 10, 'the old places stay');
  api.become('back');
  await until('recovered', () => !/Redis/.test(shown('events')));
  await leave();
});

test('the pipeline has a fault: the line is red and says which', async () => {
  const { document, leave } = await open('index.html');
  await until('well', () => pipeline().dataset.level === 'ok');
  api.become('fault');
  await until('red', () => pipeline().dataset.level === 'bad');
  await until('letters', () => /new dead letters/.test(pipeline().textContent));
  assert.match(pipeline().textContent, /Fault Pipeline: .*circuit open/);
  await until('aloud', () => /The pipeline has a fault/.test(document.getElementById('said').textContent));
  api.become('back');
  await leave();
});

test('a token is wanted: the page goes to where one logs in, and back afterwards', async () => {
  api.token = 'a-token-that-nobody-knows';
  try {
    const own = await open('index.html', '?types=play');
    await until('left', () => own.left !== null);
    assert.equal(own.left, '/login?next=%2F%3Ftypes%3Dplay');
    await own.leave();
  } finally {
    api.token = '';
  }
});

test('who came by a cookie can log out, and is told if that failed', async () => {
  const token = 'a-token-that-is-known';
  const plainFetch = realFetch;
  api.token = token;
  const cookie = { Cookie: `token=${token}` };
  realFetch = (url, options) => plainFetch(url, { ...options, headers: { ...options?.headers, ...cookie } });
  try {
    const own = await open('index.html');
    const logout = own.document.getElementById('logout');
    await until('offered', () => !logout.hidden);
    api.become('lose');
    logout.fire('click');
    await until('told', () => /Not logged out/.test(logout.textContent));
    assert.equal(own.left, null);
    api.become('back');
    logout.fire('click');
    await until('left', () => own.left !== null);
    assert.equal(own.left, '/login');
    await own.leave();
  } finally {
    realFetch = plainFetch;
    api.token = '';
  }
});

test('without a token there is nothing to log out of', async () => {
  const { document, leave } = await open('index.html');
  await until('live', () => connection().dataset.level === 'ok');
  assert.equal(document.getElementById('logout').hidden, true);
  await leave();
});

test('paused, the numbers stand still, and go on when asked', async () => {
  const { document, leave } = await open('index.html');
  await until('live', () => connection().dataset.level === 'ok');
  await until('cards', () => /until/.test(shown('cards')));
  document.getElementById('pause').fire('click');
  await until('said', () => /Paused/.test(connection().textContent));
  assert.equal(document.getElementById('pause').getAttribute('aria-pressed'), 'true');
  const before = shown('cards');
  const id = api.nextId;
  await until('something came', () => api.nextId > id + 40);
  assert.equal(shown('cards'), before);
  document.getElementById('pause').fire('click');
  await until('live', () => connection().dataset.level === 'ok');
  await leave();
});

test('the slider looks at a time in all charts, and says their numbers', async () => {
  const { document, leave } = await open('index.html');
  await until('yesterday', () => /yesterday [1-9]/.test(shown('series')));
  const slider = document.getElementById('look');
  slider.value = '-1800';
  slider.fire('input');
  assert.match(
    slider.getAttribute('aria-valuetext'),
    /^play [\d,]+ events until \d\d:\d\d:\d\d, yesterday [\d,]+; pause /,
  );
  assert.equal(panel('series').querySelector('.cursor').getAttribute('visibility'), 'visible');
  await leave();
});

test("a field's meaning is the API's own word, asked for when somebody wants to know", async () => {
  const { document, asked, leave } = await open('index.html');
  assert.ok(!asked.includes('/openapi.json'));
  const details = document.querySelector('details[data-path="/metrics/realtime"]');
  details.open = true;
  details.fire('toggle');
  await until('explained', () => /total_valueSum of their values/.test(details.textContent));
  await leave();
});

test('the wall shows the same, and its links lead to the page', async () => {
  const { leave } = await open('wall.html', '?types=play,click&content_type=video');
  await until('live', () => connection().dataset.level === 'ok');
  await until('boards', () => panel('trending').querySelectorAll('li').length > 0);
  assert.equal(shown('sentence'), 'only play, click · video');
  const link = panel('trending').querySelector('a');
  let prevented = false;
  link.fire('click', { preventDefault: () => (prevented = true) });
  assert.equal(prevented, false);
  assert.match(link.getAttribute('href'), /^\/\?types=click,play&content_type=video&content=/);
  await leave();
});

test('nobody looks: nothing is asked', async () => {
  const { document, asked, hide, leave } = await open('index.html');
  await until('all is asked', () => panel('hours').querySelectorAll('tr').length === 13);
  hide();
  const settled = asked.length;
  const id = api.nextId;
  // As many messages as some seconds bring to nobody in particular.
  const other = await realFetch(`${base}/live`);
  await until('time went by', () => api.nextId > id + 40);
  await other.body.cancel();
  assert.ok(asked.length <= settled + 4, `${asked.length - settled} questions`);
  assert.equal(document.hidden, true);
  await leave();
});

test('logging in sends the token once, and leads to where one wanted to go', async () => {
  api.token = 'a-token-that-is-known';
  const document = documentOf(readFileSync(`${PAGE}login.html`, 'utf8'));
  const form = document.querySelector('form');
  form.token = Object.assign(document.querySelector('#token'), { select() {} });
  form.action = form.getAttribute('action');
  const sent = [];
  let left = null;
  Object.assign(globalThis, {
    document,
    location: { search: '?next=//evil.example', replace: (to) => (left = to) },
    fetch: (url, options) => {
      sent.push(`${options.method} ${url} ${options.body}`);
      return realFetch(base + url, options);
    },
  });
  try {
    await import(`${new URL(`file://${PAGE}js/login.js`)}`);
    const problem = document.querySelector('#problem');
    form.token.value = 'a-wrong-one';
    form.fire('submit');
    await until('refused', () => /not known here/.test(problem.textContent));
    assert.equal(left, null);
    form.token.value = api.token;
    form.fire('submit');
    await until('let in', () => left !== null);
    assert.equal(left, '/');
    assert.deepEqual(sent, ['POST /login token=a-wrong-one', 'POST /login token=a-token-that-is-known']);
  } finally {
    api.token = '';
  }
});
