// What is wrong, in words: with the connection, with the numbers' age, with the pipeline. Pure. A level is never shown
// by its colour alone: each has a word and a sign.

import { count, delay, span, time } from './format.js';
import { serverNow } from './state.js';

export const LEVELS = Object.freeze({
  ok: { sign: '●', word: 'OK' },
  wait: { sign: '◌', word: 'Wait' },
  warn: { sign: '▲', word: 'Look' },
  bad: { sign: '■', word: 'Fault' },
});

/** The newest open window has its end ahead of it; where it lies so far back, nothing has come. */
export const QUIET_MILLIS = 60_000;

export const FRESHNESS_WARN_MILLIS = 20_000;
export const FRESHNESS_BAD_MILLIS = 60_000;
export const DEAD_LETTERS_MILLIS = 10 * 60_000;
const STATS_OLD_MILLIS = 30_000;
const SKEW_SHOWN_MILLIS = 30_000;

/** The end of the newest window that there is, or null. */
export function newestEnd(state) {
  let newest = null;
  for (const windows of Object.values(state.series)) {
    const last = windows.length > 0 ? windows[windows.length - 1].end : null;
    if (last !== null && (newest === null || last > newest)) {
      newest = last;
    }
  }
  return newest;
}

/** Whether what stands on the page is of now. */
export function connectionLine(state, zone) {
  const { connection, now } = state;
  if (state.paused) {
    return { level: 'warn', stale: true, text: 'Paused: the numbers stand still until you go on.' };
  }
  if (connection.state === 'lost') {
    const next =
      connection.retryAt === null ? '' : ` Trying again in ${span(Math.max(1_000, connection.retryAt - now))}.`;
    const since =
      state.lastMessageAt === null
        ? 'No connection.'
        : `Connection lost. All below is of ${time(
            state.lastMessageAt + state.skew,
            zone,
          )}, ${span(now - state.lastMessageAt)} ago.`;
    return { level: 'bad', stale: true, text: `${since} ${connection.why}.${next}` };
  }
  if (connection.state === 'connecting') {
    return { level: 'wait', stale: state.everLive, text: 'Connecting …' };
  }
  if (state.missing !== null) {
    const text = `Connected, but the API has nothing new to tell: ${state.missing}. All below is old.`;
    return { level: 'bad', stale: true, text };
  }
  const newest = newestEnd(state);
  const quiet = newest === null ? null : serverNow(state) - newest;
  if (quiet === null) {
    return { level: 'wait', stale: false, text: 'Connected. There is no window of the last hour to show yet.' };
  }
  if (quiet > QUIET_MILLIS) {
    return {
      level: 'warn',
      stale: true,
      text: [
        `Connected, but no new number for ${span(quiet)}: the newest window ended at ${time(newest, zone)}.`,
        'Either nothing happens, or the pipeline stands still.',
      ].join(' '),
    };
  }
  const skewed =
    Math.abs(state.skew) > SKEW_SHOWN_MILLIS
      ? ` This device's clock is ${span(Math.abs(state.skew))} ${state.skew > 0 ? 'slow' : 'fast'}.`
      : '';
  return { level: 'ok', stale: false, text: `Live.${skewed}` };
}

/** The pipeline's own health. The worst of its parts gives the level; each part says what it is about. */
export function pipelineLine(state) {
  const question = state.questions.stats;
  const { stats, now } = state;
  if (!stats) {
    return question?.problem
      ? { level: 'bad', text: `The pipeline's health is not known: ${question.problem.text}`, parts: [] }
      : { level: 'wait', text: "Asking for the pipeline's health …", parts: [] };
  }
  const all = {
    freshness: freshness(stats),
    lag: lag(stats),
    'dead letters': deadLetters(state),
    receiver: circuit(stats),
    audit: audit(stats, serverNow(state)),
  };
  const parts = Object.values(all).filter(Boolean);
  // What is not told is no good news, and no bad one.
  const untold = Object.keys(all).filter((name) => all[name] === null);
  if (untold.length > 0) {
    parts.push({ level: parts.length === 0 ? 'wait' : 'ok', text: `not known: ${untold.join(', ')}` });
  }
  const age = question?.at == null ? 0 : now - question.at;
  if (question?.problem && age > STATS_OLD_MILLIS) {
    parts.unshift({ level: 'bad', text: `not known for ${span(age)}: ${question.problem.text}` });
  }
  const order = ['ok', 'wait', 'warn', 'bad'];
  const level = parts.reduce(
    (worst, part) => (order.indexOf(part.level) > order.indexOf(worst) ? part.level : worst),
    'ok',
  );
  return { level, text: parts.map((part) => part.text).join(' · '), parts };
}

function freshness({ freshnessMillis }) {
  if (freshnessMillis === null) {
    return null;
  }
  const level =
    freshnessMillis > FRESHNESS_BAD_MILLIS ? 'bad' : freshnessMillis > FRESHNESS_WARN_MILLIS ? 'warn' : 'ok';
  return { level, text: `freshness ${delay(freshnessMillis)}` };
}

function lag({ lag: records }) {
  return records === null ? null : { level: 'ok', text: `lag ${count(records)}` };
}

/** Their number only grows, so it is the rise that tells of a fault of now. */
function deadLetters(state) {
  const { deadLetters: byReason } = state.stats;
  if (byReason === null) {
    return null;
  }
  const reasons = Object.entries(byReason).filter(([, n]) => n > 0);
  const total = reasons.reduce((sum, [, n]) => sum + n, 0);
  const from = state.now - DEAD_LETTERS_MILLIS;
  const before = state.deadLetterSamples.find((sample) => sample.at >= from);
  const rise = before ? total - before.total : 0;
  const names = reasons.map(([reason, n]) => `${reason} ${count(n)}`).join(', ');
  if (rise > 0) {
    return { level: 'bad', text: `${count(rise)} new dead letters (${names})` };
  }
  return { level: 'ok', text: total === 0 ? 'no dead letters' : `${count(total)} dead letters, none new` };
}

function circuit({ circuit: state }) {
  switch (state) {
    case null:
      return null;
    case 'closed':
      return { level: 'ok', text: 'receiver takes events' };
    case 'half_open':
      return { level: 'warn', text: 'receiver is being tried again (circuit half open)' };
    default:
      return { level: 'bad', text: `receiver does not take events (circuit ${state})` };
  }
}

function audit({ audit: last }, now) {
  if (!last || last.at === null) {
    return null;
  }
  const ago = `audit ${span(now - last.at)} ago`;
  return last.differences > 0
    ? { level: 'bad', text: `${ago}: ${count(last.differences)} differences` }
    : { level: 'ok', text: `${ago}: ${last.differences === 0 ? 'no difference' : 'done'}` };
}

/** A line under a panel: of when its numbers are, or why there are none. */
export function questionLine(question, { now, skew }, zone) {
  if (!question) {
    return { level: 'wait', text: 'Asking …' };
  }
  if (!question.problem) {
    return { level: 'ok', text: `As of ${time(question.at + skew, zone)}` };
  }
  const old = question.at === null ? 'Not known' : `Stale, as of ${time(question.at + skew, zone)}`;
  const next = question.retryAt === null ? '' : ` Asking again in ${span(Math.max(1_000, question.retryAt - now))}.`;
  return { level: 'bad', text: `${old}: ${question.problem.text}${next}` };
}
