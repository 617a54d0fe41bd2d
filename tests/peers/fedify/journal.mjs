// Everything that happened to this peer, in order, with a way to wait for what comes next.

export class Journal {
  #events = [];
  #waiting = new Set();

  /** Writes one event down and wakes those who wait. */
  add(kind, facts) {
    this.#events.push({ n: this.#events.length + 1, kind, ...facts });
    for (const wake of [...this.#waiting]) wake();
  }

  /** Events with a number above `after`; waits up to `timeout` ms for the first one. */
  async after(number, timeout) {
    if (this.#events.length <= number && timeout > 0) await this.#next(timeout);
    return this.#events.slice(number);
  }

  #next(timeout) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeout);
      this.#waiting.add(wake);
    });
  }
}
