// The page on made-up data, without the API, Redis or PostgreSQL: for whoever works on it, and for its tests.
//
//   node src/test/js/fake-server.mjs [--port 8088] [--token TOKEN]
//
// and then a word and Enter: lose (the API is gone), redis (Redis is away), postgres (PostgreSQL is away), quiet
// (nothing happens any more), fault (dead letters, an open circuit), limit (too many requests), back (all is well
// again).

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PAGE = fileURLToPath(new URL('../../main/resources/dev/engagement/api/page/', import.meta.url));

const HOUR = 3_600_000;
const TYPES = { play: 140, pause: 45, finish: 22, click: 90 };
const KINDS = ['podcast', 'newsletter', 'video'];
const DEVICES = ['web', 'ios', 'android', 'tv'];
const MEDIA = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const TITLES = [
  'The morning in ten minutes',
  'Why bridges sing',
  'A field guide to small rivers',
  '<img src=x onerror=alert(1)> <b>bold</b> & "quoted"',
  'Interview: the last lighthouse keeper',
  'Budget night, explained',
  'Who owns the wind?',
  'A very long title of somebody who had much to say about a subject that is dear to many people, and more',
  'Kitchen chemistry',
  'اخبار اليوم',
  '夜のニュース',
  'Weekend letter',
  'Ten goals of the season',
  'The quiet hour',
];
const CONTENTS = TITLES.map((title, i) => ({
  content_id: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
  title,
  slug: `content-${i}`,
  content_type: KINDS[i % 3],
  length_seconds: i % 3 === 1 ? null : 300 + 97 * i,
  publish_ts: new Date(Date.UTC(2026, 0, 1 + i)).toISOString(),
}));

/** In [0, 1), and the same for the same numbers. */
function noise(...numbers) {
  let x = 2166136261;
  for (const n of numbers) {
    x = Math.imul(x ^ (n & 0xffff), 16777619);
    x = Math.imul(x ^ (Math.floor(n / 65536) & 0xffff), 16777619);
  }
  return ((x ^ (x >>> 15)) >>> 0) / 4294967296;
}

export class FakeApi {
  constructor({ token = '', now = () => Date.now() } = {}) {
    this.token = token;
    this.now = now;
    this.mode = 'back';
    this.quietSince = null;
    this.deadLetters = 3;
    this.streams = new Set();
    this.nextId = 1;
    this.server = createServer((request, response) => {
      this.handle(request, response).catch((e) => {
        response.destroy();
        console.error(e);
      });
    });
  }

  async start(port = 0) {
    await new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.timers = [
      setInterval(() => this.everySecond(), 1_000),
      setInterval(() => this.broadcast('heartbeat', this.status()), 5_000),
      setInterval(() => this.everyTen(), 10_000),
    ];
    return this.server.address().port;
  }

  async stop() {
    this.timers.forEach(clearInterval);
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  become(mode) {
    this.mode = mode;
    this.quietSince = mode === 'quiet' ? this.now() : null;
    this.broadcast('heartbeat', this.status());
    if (mode === 'lose') {
      this.streams.forEach((stream) => stream.response.destroy());
    }
  }

  status() {
    const stale = this.mode === 'redis';
    return { as_of: this.instant(), stale, why: stale ? 'Redis does not answer' : null, updated_at: this.instant() };
  }

  instant(ms = this.now()) {
    return new Date(ms).toISOString();
  }

  // ---------------------------------------------------------------------------------------------------------- the data

  window(type, start) {
    const rate = TYPES[type] ?? 10;
    const day = Math.sin(((start % (24 * HOUR)) / (24 * HOUR)) * 2 * Math.PI);
    const wave = 1 + 0.35 * day + 0.2 * Math.sin(start / 400_000) + 0.25 * noise(start / 10_000, rate);
    const share = Math.min(1, Math.max(0, (this.now() - start) / 30_000));
    const count = Math.round(rate * wave * share);
    // One type is busy enough for estimates.
    const users = type === 'play' ? count * 11 : Math.ceil(count * 0.7);
    return {
      window_start: start,
      window_end: start + 30_000,
      count: type === 'play' ? count * 13 : count,
      total_value: Number((count * 3.17).toFixed(2)),
      unique_users: users,
      event_type: type,
      window_size: '30s',
      unique_users_exact: users <= 1_024,
    };
  }

  windows(type, from, to) {
    const last = Math.min(to, this.quietSince ?? this.now());
    const result = [];
    for (let start = Math.floor(last / 10_000) * 10_000; start >= from; start -= 10_000) {
      result.push(this.window(type, start));
    }
    return result;
  }

  score(content, i, by, at) {
    const slow = Math.floor(at / 10_000);
    const base = 900 / (i + 2) + 60 * Math.sin(slow / 7 + i) + 40 * noise(slow, i);
    return by === 'seconds' ? base * 37 : by === 'trending' ? 1 + 3 * noise(Math.floor(slow / 6), i) : base + 80;
  }

  board(by, type, limit) {
    const places = (at) =>
      CONTENTS.map((content, i) => ({ content, score: this.score(content, i, by, at) }))
        .filter(({ content }) => !type || content.content_type === type)
        .sort((a, b) => b.score - a.score);
    const at = this.quietSince ?? this.now();
    const [minute, hour] = [places(at - 60_000), places(at - HOUR)].map((list) =>
      list.map(({ content }) => content.content_id),
    );
    return places(at)
      .slice(0, limit)
      .map(({ content, score }, i) => {
        const change = (list) => {
          const before = list.slice(0, limit).indexOf(content.content_id);
          return before < 0 ? null : before - i;
        };
        return {
          place: i + 1,
          content_id: content.content_id,
          title: content.title,
          content_type: content.content_type,
          score: by === 'trending' ? Number(score.toFixed(2)) : Math.round(score),
          usual: by === 'trending' ? 40 : null,
          change_minute: change(minute),
          change_hour: change(hour),
        };
      });
  }

  content(id) {
    const i = CONTENTS.findIndex((content) => content.content_id === id);
    if (i < 0) {
      return null;
    }
    const now = this.quietSince ?? this.now();
    const minute = Math.floor(now / 60_000) * 60_000;
    const minutes = [];
    for (let m = minute - 59 * 60_000; m <= minute; m += 60_000) {
      minutes.push({
        minute: m,
        count: Math.round((30 / (i + 1)) * (1 + Math.sin(m / 600_000 + i) + noise(m / 60_000, i))),
      });
    }
    const started = 400 - 20 * i;
    const end = Math.floor(now / 30_000) * 30_000;
    const id7 = Math.floor(now / 7_000) * 100 + i;
    return {
      ...CONTENTS[i],
      last_event: {
        event_id: id7,
        ...CONTENTS[i],
        user_id: 'u',
        event_type: Object.keys(TYPES)[id7 % 4],
        event_ts: new Date(now - 300 * i).toISOString(),
        device: DEVICES[id7 % 3],
        engagement_pct: i % 3 === 1 ? null : Number((100 * noise(id7)).toFixed(1)),
      },
      count: 12_000 - 700 * i,
      audience: {
        window_start: end - 300_000,
        window_end: end,
        active_users: i === 0 ? 1_500 : 90 - 5 * i,
        unique_users_exact: i !== 0,
      },
      minutes,
      completion: {
        window_start: Math.floor(now / HOUR) * HOUR,
        window_end: Math.floor(now / HOUR) * HOUR + HOUR,
        started,
        reached_25: Math.round(started * 0.8),
        reached_50: Math.round(started * 0.55),
        reached_75: Math.round(started * 0.4),
        finished: Math.round(started * 0.31),
        unique_users_exact: true,
      },
    };
  }

  hours(key) {
    const hour = Math.floor(this.now() / HOUR) * HOUR;
    const cells = KINDS.flatMap((kind) => DEVICES.map((device) => [kind, device]));
    const asked = key ? cells.filter(([kind, device]) => `${kind}:${device}` === key) : cells;
    return (key ? [hour] : [hour - HOUR, hour - 2 * HOUR]).flatMap((start) =>
      asked.map(([content_type, device]) => {
        const count = Math.round(5_000 * noise(start / HOUR, content_type.length, device.length));
        const users = Math.ceil(count / 3);
        return {
          window_start: start,
          window_end: start + HOUR,
          count,
          seconds: count * 41.5,
          unique_users: users,
          content_type,
          device,
          unique_users_exact: users <= 1_024,
          rollup: 'hourly',
        };
      }),
    );
  }

  // ------------------------------------------------------------------------------------------------------- the answers

  async handle(request, response) {
    const url = new URL(request.url, 'http://localhost');
    response.setHeader(
      'Content-Security-Policy',
      "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    );
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cache-Control', 'no-store');
    const file =
      { '/': 'index.html', '/wall': 'wall.html' }[url.pathname] ??
      (url.pathname.startsWith('/static/') ? url.pathname.slice(8) : null);
    if (file !== null) {
      await this.file(file, response);
    } else if (url.pathname === '/docs') {
      response.setHeader('Content-Type', 'text/plain');
      response.end('The API has its documentation here.');
    } else if (url.pathname === '/login') {
      await this.login(request, response);
    } else if (url.pathname === '/logout') {
      if (this.mode === 'lose') {
        response.destroy();
        return;
      }
      response.setHeader('Set-Cookie', 'token=; Max-Age=0; HttpOnly; SameSite=Strict; Path=/');
      response.statusCode = request.method === 'POST' ? 204 : 405;
      response.end();
    } else if (this.mode === 'lose') {
      response.destroy();
    } else if (this.token && !this.takesCookie(request, response)) {
      this.problem(response, 401, 'A token is needed', 'log in.');
    } else if (this.mode === 'limit') {
      response.setHeader('Retry-After', '5');
      this.problem(response, 429, 'Too many requests', 'wait for the time that Retry-After says.');
    } else if (url.pathname === '/live') {
      this.live(url, request, response);
    } else {
      this.answer(url, response);
    }
  }

  /** As the API does it: whoever came by the cookie is told so. */
  takesCookie(request, response) {
    if (!(request.headers.cookie ?? '').includes(`token=${this.token}`)) {
      return false;
    }
    response.setHeader('Engagement-Session', 'cookie');
    return true;
  }

  async file(name, response) {
    const path = normalize(join(PAGE, name));
    try {
      if (!path.startsWith(PAGE)) {
        throw new Error('outside');
      }
      const bytes = await readFile(path);
      response.setHeader('Content-Type', `${MEDIA[extname(path)] ?? 'application/octet-stream'}; charset=utf-8`);
      response.end(bytes);
    } catch {
      this.problem(response, 404, 'There is no such file', 'look at /.');
    }
  }

  async login(request, response) {
    if (request.method === 'GET') {
      await this.file('login.html', response);
      return;
    }
    let body = '';
    for await (const chunk of request) {
      body += chunk;
    }
    if (new URLSearchParams(body).get('token') === this.token) {
      response.setHeader('Set-Cookie', `token=${this.token}; HttpOnly; SameSite=Strict; Path=/`);
      response.statusCode = 204;
      response.end();
    } else {
      this.problem(response, 401, 'This token is not known', 'use another.');
    }
  }

  answer(url, response) {
    const query = url.searchParams;
    const path = url.pathname;
    const postgres = path === '/metrics/history' || (path === '/rollups/hourly' && !query.get('key'));
    if ((this.mode === 'redis' && !postgres && path !== '/openapi.json') || (this.mode === 'postgres' && postgres)) {
      response.setHeader('Retry-After', '2');
      this.problem(
        response,
        503,
        `${this.mode === 'redis' ? 'Redis' : 'PostgreSQL'} does not answer`,
        'it is tried again by itself',
      );
      return;
    }
    const limit = Number(query.get('limit') ?? 10);
    const type = query.get('event_type');
    const content = path.startsWith('/content/') ? this.content(decodeURIComponent(path.slice(9))) : null;
    if (path === '/metrics/realtime') {
      this.ok(response, {
        event_type: type,
        window_size: '30s',
        entries: this.windows(type, this.now() - HOUR, this.now()).slice(0, limit),
      });
    } else if (path === '/metrics/history') {
      const entries = this.windows(type, Number(query.get('start_time')), Number(query.get('end_time'))).filter(
        (window) => window.window_end <= this.now(),
      );
      this.ok(response, { event_type: type, window_size: '30s', entries: entries.slice(0, limit), next_cursor: null });
    } else if (path === '/leaderboard') {
      this.ok(response, {
        by: query.get('by'),
        type: query.get('type'),
        places: this.board(query.get('by'), query.get('type'), limit),
      });
    } else if (content) {
      this.ok(response, content);
    } else if (path === '/rollups/hourly') {
      this.ok(response, {
        rollup: 'hourly',
        window_size: '1h',
        entries: this.hours(query.get('key')),
        next_cursor: null,
      });
    } else if (path === '/stats') {
      this.deadLetters += this.mode === 'fault' ? 2 : 0;
      this.ok(response, {
        freshness_ms: this.mode === 'fault' ? 95_000 : 28,
        lag: this.mode === 'fault' ? 123_456 : 3,
        dead_letters: { UNDECODABLE: this.deadLetters, UNRESOLVED: 0 },
        circuit: this.mode === 'fault' ? 'open' : 'closed',
        last_audit: { at: this.instant(this.now() - HOUR), differences: 0 },
      });
    } else if (path === '/openapi.json') {
      this.ok(response, OPENAPI);
    } else {
      this.problem(response, 404, 'There is no such thing', 'look at /docs.');
    }
  }

  ok(response, body) {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ ...body, as_of: this.instant(), window: 30_000, exact: false, error: 0.016 }));
  }

  problem(response, status, detail, wayOut) {
    response.statusCode = status;
    response.setHeader('Content-Type', 'application/problem+json');
    response.end(JSON.stringify({ type: 'about:blank', title: detail, status, detail, wayOut }));
  }

  // -------------------------------------------------------------------------------------------------------- the stream

  live(url, request, response) {
    const types = (url.searchParams.get('types') ?? '').split(',').filter(Boolean);
    response.setHeader('Content-Type', 'text/event-stream');
    const stream = { response, types, lastEventId: url.searchParams.get('last_event_id') };
    this.streams.add(stream);
    response.on('close', () => this.streams.delete(stream));
    this.send(stream, 'snapshot', {
      ...this.status(),
      metrics: Object.keys(TYPES)
        .filter((type) => types.length === 0 || types.includes(type))
        .flatMap((type) => this.windows(type, this.now() - 60_000, this.now())),
      leaderboards: ['events', 'seconds'].map((by) => ({ by, places: this.board(by, '', 10) })),
    });
  }

  send({ response }, event, data) {
    response.write(`id: ${this.nextId++}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  broadcast(event, data) {
    for (const stream of this.streams) {
      if (event !== 'metric' || stream.types.length === 0 || stream.types.includes(data.event_type)) {
        this.send(stream, event, data);
      }
    }
  }

  everySecond() {
    if (this.mode !== 'quiet' && this.mode !== 'redis') {
      for (const type of Object.keys(TYPES)) {
        this.windows(type, this.now() - 40_000, this.now()).forEach((window) => this.broadcast('metric', window));
      }
    }
  }

  everyTen() {
    if (this.mode !== 'quiet' && this.mode !== 'redis') {
      ['events', 'seconds'].forEach((by) => this.broadcast('leaderboard', { by, places: this.board(by, '', 10) }));
    }
  }
}

const OPENAPI = {
  openapi: '3.1.0',
  paths: {
    '/metrics/realtime': answers('Realtime'),
    '/leaderboard': answers('Leaderboard'),
    '/content/{id}': answers('Content'),
  },
  components: {
    schemas: {
      Realtime: {
        properties: {
          entries: {
            items: {
              properties: {
                count: { description: 'Events in the window.' },
                total_value: { description: 'Sum of their values; what has none adds nothing.' },
                unique_users: { description: 'Different users in the window. Those of two windows do not add up.' },
              },
            },
          },
        },
      },
      Leaderboard: {
        properties: { places: { items: { properties: { score: { description: 'By events, how many.' } } } } },
      },
      Content: { properties: { count: { description: 'Different events that it has ever had.' } } },
    },
  },
};

function answers(name) {
  const schema = { $ref: `#/components/schemas/${name}` };
  return { get: { responses: { 200: { content: { 'application/json': { schema } } } } } };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name, byDefault) => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? byDefault : process.argv[at + 1];
  };
  const api = new FakeApi({ token: option('token', '') });
  const port = await api.start(Number(option('port', '8088')));
  console.log(`http://127.0.0.1:${port}/ and http://127.0.0.1:${port}/wall`);
  console.log('lose, redis, postgres, quiet, fault, limit, back; Ctrl-C ends it');
  createInterface({ input: process.stdin }).on('line', (line) => {
    api.become(line.trim());
    console.log(`now: ${api.mode}`);
  });
}
