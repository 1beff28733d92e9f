// What a screen reader says by itself. Numbers that move are not said; what is said, is said seldom, and only its
// newest state.

export const MIN_GAP_MILLIS = 20_000;

/**
 * @param say puts a text into the live region
 * @param gapMillis between two of them; only what is urgent may come sooner, and never in the same breath
 */
export function createAnnouncer({
  say,
  now,
  setTimer,
  clearTimer,
  gapMillis = MIN_GAP_MILLIS,
  urgentGapMillis = 3_000,
}) {
  const waiting = new Map();
  const said = new Map();
  let lastAt = -Infinity;
  let timer = null;
  let dueAt = Infinity;

  function run() {
    dueAt = Infinity;
    const texts = [...waiting].filter(([topic, { text }]) => said.get(topic) !== text);
    waiting.clear();
    if (texts.length === 0) {
      return;
    }
    texts.forEach(([topic, { text }]) => said.set(topic, text));
    lastAt = now();
    say(texts.map(([, { text }]) => text).join(' '));
  }

  return {
    /**
     * @param topic of two texts of one topic only the newer is said
     * @param urgent the connection is lost, and the like
     */
    announce(topic, text, urgent = false) {
      if (!waiting.has(topic) && said.get(topic) === text) {
        return;
      }
      waiting.set(topic, { text });
      const at = Math.max(now(), lastAt + (urgent ? urgentGapMillis : gapMillis));
      if (at < dueAt) {
        clearTimer(timer);
        dueAt = at;
        timer = setTimer(run, at - now());
      }
    },
    /** Not to be said, as the page has just begun: what changes from here on is. */
    known(topic, text) {
      said.set(topic, text);
    },
  };
}
