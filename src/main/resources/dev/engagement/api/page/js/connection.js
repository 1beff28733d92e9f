// One stream of server-sent events that is opened again whenever it ends or falls silent. It knows nothing of the page:
// what opens a stream, the clock and the timers are passed in.

import { backoff } from './backoff.js';

/** Longer than any heartbeat: what is silent for so long is gone, though no error says so. */
export const SILENT_MILLIS = 25_000;

const EVENTS = ['snapshot', 'metric', 'leaderboard', 'heartbeat', 'event'];

/**
 * @param open makes an EventSource of an address
 * @param url the address, of the id of the last message or '' for the first time
 * @param onMessage gets {event, id, data}
 * @param onState gets {state: 'connecting' | 'live' | 'lost', failures, retryAt, why}
 */
export function createConnection({ open, url, onMessage, onState, now, setTimer, clearTimer, random }) {
  let source = null;
  let timer = null;
  let watchdog = null;
  let failures = 0;
  let lastId = '';
  let live = false;

  function connect() {
    clearTimer(timer);
    timer = null;
    disconnect();
    if (failures === 0) {
      onState({ state: 'connecting', failures, retryAt: null, why: '' });
    }
    const opened = open(url(lastId));
    source = opened;
    watch();
    for (const event of EVENTS) {
      opened.addEventListener(event, (message) => {
        if (source === opened) {
          receive(event, message);
        }
      });
    }
    opened.onerror = () => {
      if (source === opened) {
        lose('The connection has ended');
      }
    };
  }

  function receive(event, message) {
    watch();
    let data;
    try {
      data = JSON.parse(message.data);
    } catch {
      // One unreadable message is no reason to lose those behind it; the id moves on with the next one.
      return;
    }
    if (message.lastEventId) {
      lastId = message.lastEventId;
    }
    if (!live) {
      live = true;
      failures = 0;
      onState({ state: 'live', failures: 0, retryAt: null, why: '' });
    }
    onMessage({ event, id: message.lastEventId, data });
  }

  // The browser would open it again by itself, at an interval that is its own affair and for ever the same.
  function lose(why) {
    disconnect();
    live = false;
    failures++;
    const wait = backoff(failures, random());
    onState({ state: 'lost', failures, retryAt: now() + wait, why });
    clearTimer(timer);
    timer = setTimer(connect, wait);
  }

  function watch() {
    clearTimer(watchdog);
    watchdog = setTimer(() => lose(`Nothing was heard for ${SILENT_MILLIS / 1000} s`), SILENT_MILLIS);
  }

  function disconnect() {
    clearTimer(watchdog);
    watchdog = null;
    if (source) {
      source.close();
      source = null;
    }
  }

  return {
    start: connect,
    /** At once: the network has come back, or somebody asked. */
    retry() {
      if (!live) {
        connect();
      }
    },
    lose,
    /** With other filters: what came before is no place to go on from. */
    restart() {
      lastId = '';
      failures = 0;
      live = false;
      connect();
    },
    stop() {
      clearTimer(timer);
      disconnect();
      live = false;
    },
  };
}
