// A clock that stands still until a test moves it.
export class ManualTimers {
  #now = 1_000_000;
  #next = 1;
  #timers = new Map();

  now = () => this.#now;
  random = () => 0.999999;

  setTimer = (run, wait) => {
    const id = this.#next++;
    this.#timers.set(id, { run, at: this.#now + wait, id });
    return id;
  };

  clearTimer = (id) => {
    this.#timers.delete(id);
  };

  /** Runs what falls due, in its order; promises that are settled meanwhile get their turn. */
  async advance(millis) {
    const end = this.#now + millis;
    for (;;) {
      await this.settle();
      const due = [...this.#timers.values()]
        .filter(({ at }) => at <= end)
        .sort((a, b) => a.at - b.at || a.id - b.id)[0];
      if (!due) {
        break;
      }
      this.#timers.delete(due.id);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = end;
    await this.settle();
  }

  async settle() {
    for (let i = 0; i < 20; i++) {
      await Promise.resolve();
    }
  }

  get waiting() {
    return this.#timers.size;
  }
}
