// What the page asks the API, how often, and where the answers go. Everything that moves by messages is asked for too,
// seldom: a message that was lost is made good.

import { range } from './api.js';
import * as answers from './answers.js';
import { CONTENT_TYPES, DEVICES, shownTypes } from './filters.js';
import {
  BOARDS,
  idsOnBoards,
  serverNow,
  withBoard,
  withContent,
  withHourly,
  withStats,
  withWindows,
  withYesterday,
} from './state.js';
import { HOUR, yesterday } from './windows.js';

const HISTORY_LIMIT = 1_000;
const REALTIME_LIMIT = 100;
const YESTERDAY_AHEAD_MILLIS = 25 * 60_000;
const SETTLED_MILLIS = 60_000;
const CHOSEN_MILLIS = 5_000;
const CONTENT_MILLIS = 15_000;
const MOST_CONTENTS = 30;
const MOST_HOURLY_KEYS = 16;

/**
 * @param poller asks
 * @param get of the API
 * @param state answers the newest state
 * @param places the most places of a board
 */
export function createQuestions({ poller, get, state, dispatch, now, places }) {
  /** When each content was asked for last; only of those that are still shown. */
  let contentsAskedAt = new Map();
  /** By the question's name what it asks for: an answer to anything else comes too late. */
  const asked = new Map();
  let wanted = new Set();

  /** @param about what it asks for beside its name; a question about the same goes on as it was */
  function ask(name, about, everyMillis, question, minMillis) {
    wanted.add(name);
    if (asked.get(name)?.about === about) {
      return;
    }
    const own = { about };
    const current = () => asked.get(name) === own;
    asked.set(name, own);
    poller.add(name, {
      everyMillis,
      minMillis,
      ask: async () => {
        const into = await question();
        if (into !== null && current()) {
          dispatch({ type: 'answer', name, into, now: now() });
        }
      },
      failed: (problem, retryAt) => {
        if (current()) {
          dispatch({ type: 'failure', name, now: now(), retryAt, problem: { text: problem.text ?? String(problem) } });
        }
      },
    });
  }

  function windowsOf(eventType, from, to) {
    return range({
      from,
      to,
      limit: HISTORY_LIMIT,
      maxPages: 4,
      page: async (start, end) =>
        answers.metrics(
          await get('/metrics/history', {
            event_type: eventType,
            window_size: answers.WINDOW_SIZE,
            start_time: Math.floor(start),
            end_time: Math.ceil(end) + 1,
            limit: HISTORY_LIMIT,
          }),
        ),
    });
  }

  function ofType(eventType) {
    ask(`realtime ${eventType}`, '', 60_000, async () => {
      const newest = { event_type: eventType, window_size: answers.WINDOW_SIZE, limit: REALTIME_LIMIT };
      const windows = answers.metrics(await get('/metrics/realtime', newest));
      return (s) => withWindows(s, windows);
    });
    ask(`history ${eventType}`, '', 10 * 60_000, async () => {
      const windows = await windowsOf(eventType, now() - HOUR, now());
      // Of a window that has just ended the live one may be newer. Of an older one it may be what was known of it while
      // it was open, if the stream was away when it ended.
      return (s) => {
        const settled = serverNow(s) - SETTLED_MILLIS;
        const known = new Set((s.series[eventType] ?? []).map((window) => window.start));
        return withWindows(
          s,
          windows.filter((window) => window.end < settled || !known.has(window.start)),
        );
      };
    });
    ask(`yesterday ${eventType}`, '', 15 * 60_000, async () => {
      const day = yesterday(now());
      const windows = await windowsOf(eventType, now() - day - HOUR, now() - day + YESTERDAY_AHEAD_MILLIS);
      return (s) => withYesterday(s, eventType, windows);
    });
  }

  function nextContent() {
    const chosen = state().filters.content;
    const ids = idsOnBoards(state(), MOST_CONTENTS);
    const askedAt = (id) => contentsAskedAt.get(id) ?? -Infinity;
    // What is chosen has a question of its own.
    const due = ids.filter((id) => id !== chosen && now() - askedAt(id) >= CONTENT_MILLIS);
    contentsAskedAt = new Map([...contentsAskedAt].filter(([id]) => ids.includes(id)));
    return due.sort((a, b) => askedAt(a) - askedAt(b))[0] ?? null;
  }

  async function contentOf(id) {
    contentsAskedAt.set(id, now());
    return answers.content(await get(`/content/${encodeURIComponent(id)}`), id);
  }

  /** Hours that are over are one answer; of the one that is open each key is one. */
  async function hourly() {
    const { filters, contentTypes, devices } = state();
    const over = answers.hourly(await get('/rollups/hourly', { start_time: Math.floor(now() - 3 * HOUR), limit: 200 }));
    const types = filters.contentType ? [filters.contentType] : [...new Set([...CONTENT_TYPES, ...contentTypes])];
    const kinds = filters.device ? [filters.device] : [...new Set([...DEVICES, ...devices])];
    const keys = types.flatMap((type) => kinds.map((kind) => answers.rollupKey(type, kind))).slice(0, MOST_HOURLY_KEYS);
    const open = await Promise.all(keys.map((key) => get('/rollups/hourly', { key, limit: 2 })));
    const cells = [...over, ...open.flatMap(answers.hourly)];
    return (s) => withHourly(s, cells);
  }

  return {
    /** Asks for what those filters show; what they do not change goes on. */
    plan(filters, { hours }) {
      wanted = new Set();
      shownTypes(filters).forEach(ofType);
      for (const by of BOARDS) {
        ask(
          `leaderboard ${by}`,
          filters.contentType,
          by === 'trending' ? 30_000 : 20_000,
          async () => {
            const board = answers.leaderboard(
              await get('/leaderboard', { by, limit: places, type: filters.contentType }),
            );
            return (s) => withBoard(s, { ...board, by });
          },
          5_000,
        );
      }
      ask('stats', '', 5_000, async () => {
        const stats = answers.stats(await get('/stats'));
        return (s) => withStats(s, stats);
      });
      ask('contents', '', 1_000, async () => {
        const id = nextContent();
        if (id === null) {
          return state().questions.contents ? null : (s) => s;
        }
        try {
          const content = await contentOf(id);
          return (s) => withContent(s, content);
        } catch (problem) {
          // One content that is gone says nothing of the others.
          if (problem.status === 404) {
            return (s) => s;
          }
          throw problem;
        }
      });
      if (filters.content !== '') {
        ask('content', filters.content, CHOSEN_MILLIS, async () => {
          const content = await contentOf(filters.content);
          return (s) => withContent(s, content);
        });
      }
      if (hours) {
        ask('hourly', `${filters.contentType} ${filters.device}`, 60_000, hourly);
      }
      for (const name of [...asked.keys()].filter((one) => !wanted.has(one))) {
        asked.delete(name);
        poller.remove(name);
      }
    },
    /** The stream was away: what it did not say is asked for. */
    again() {
      poller.retry();
      poller
        .names()
        .filter((name) => /^(realtime|history|leaderboard)/.test(name))
        .forEach((name) => poller.soon(name));
    },
    boardChanged: (by) => poller.soon(`leaderboard ${by}`),
  };
}
