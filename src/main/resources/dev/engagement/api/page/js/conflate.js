// Many messages, few paints: of each thing only the newest waits, and there is a bound to how many things wait.

/**
 * @param key of a message: two with one key are one thing
 * @param flush gets what waited, oldest first
 * @param schedule calls a function a moment later; called once for each flush
 */
export function createConflater({ key, flush, schedule, max = 500 }) {
  let waiting = new Map();
  let scheduled = false;

  function run() {
    scheduled = false;
    const messages = [...waiting.values()];
    waiting = new Map();
    flush(messages);
  }

  return {
    offer(message) {
      const name = key(message);
      // Taken out first, as a Map keeps the place of a key that is set again.
      waiting.delete(name);
      waiting.set(name, message);
      if (waiting.size > max) {
        waiting.delete(waiting.keys().next().value);
      }
      if (!scheduled) {
        scheduled = true;
        schedule(run);
      }
    },
    size: () => waiting.size,
  };
}

/** What a live message is about. A snapshot holds everything, so only the newest counts. */
export function subject(message) {
  const { event, data } = message;
  if (event === 'metric') {
    return `metric ${data.rollup ?? ''} ${data.event_type ?? ''} ${data.window_size ?? ''} ${data.content_id ?? ''} ${
      data.content_type ?? ''
    } ${data.device ?? ''} ${data.window_start}`;
  }
  if (event === 'leaderboard') {
    return `leaderboard ${data.by}`;
  }
  if (event === 'event') {
    return `event ${data.event_id}`;
  }
  return event;
}
