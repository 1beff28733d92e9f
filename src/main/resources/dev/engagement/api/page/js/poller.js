// Questions that are asked again and again. A question waits for its own answer before it is asked again, waits longer
// after each failure, and is not asked while nobody looks.

import { backoff } from './backoff.js';

export function createPoller({ now, setTimer, clearTimer, random }) {
  const tasks = new Map();
  let heldUntil = 0;
  let asleep = false;

  function plan(task, wait) {
    clearTimer(task.timer);
    task.timer = null;
    task.at = Math.max(now() + wait, heldUntil);
    if (!asleep) {
      task.timer = setTimer(() => run(task), Math.max(0, task.at - now()));
    }
  }

  async function run(task) {
    task.timer = null;
    if (task.running) {
      task.again = true;
      return;
    }
    task.running = true;
    task.again = false;
    task.begunAt = now();
    let wait = task.everyMillis;
    try {
      await task.ask();
      task.failures = 0;
    } catch (problem) {
      if (tasks.get(task.name) !== task) {
        return;
      }
      task.failures++;
      const asked = problem?.retryAfterMillis ?? 0;
      wait = Math.max(wait, backoff(task.failures, random(), asked));
      if (problem?.status === 429) {
        // The limit is on all that this page asks, not on this question.
        heldUntil = Math.max(heldUntil, now() + Math.max(asked, 1_000));
      }
      task.failed(problem, now() + wait);
    }
    task.running = false;
    if (tasks.get(task.name) === task) {
      plan(task, task.again && task.failures === 0 ? untilAllowed(task) : wait);
    }
  }

  function untilAllowed(task) {
    return Math.max(0, task.begunAt + task.minMillis - now());
  }

  return {
    /**
     * @param ask returns a promise
     * @param failed gets what it was rejected with, and when it is asked again
     * @param minMillis the least distance of two questions, whatever happens
     */
    add(name, { everyMillis, minMillis = 1_000, ask, failed = () => {} }) {
      this.remove(name);
      const task = { name, everyMillis, minMillis, ask, failed, failures: 0, timer: null, at: 0, begunAt: -Infinity };
      tasks.set(name, task);
      plan(task, 0);
    },
    remove(name) {
      const task = tasks.get(name);
      if (task) {
        clearTimer(task.timer);
        tasks.delete(name);
      }
    },
    /** Something has changed: ask as soon as the least distance allows, unless it has just failed. */
    soon(name) {
      const task = tasks.get(name);
      if (!task || task.failures > 0) {
        return;
      }
      if (task.running) {
        task.again = true;
      } else if (task.at > now() + untilAllowed(task)) {
        plan(task, untilAllowed(task));
      }
    },
    /** The connection is back: what failed is asked as soon as the least distance allows. */
    retry() {
      for (const task of tasks.values()) {
        if (!task.running && task.failures > 0) {
          plan(task, untilAllowed(task));
        }
      }
    },
    /** Somebody looks again: what is due is asked at once. */
    wake() {
      asleep = false;
      for (const task of tasks.values()) {
        if (!task.running) {
          plan(task, task.failures > 0 ? untilAllowed(task) : Math.max(0, task.at - now()));
        }
      }
    },
    sleep() {
      asleep = true;
      for (const task of tasks.values()) {
        clearTimer(task.timer);
        task.timer = null;
      }
    },
    names: () => [...tasks.keys()],
  };
}
