// Pairs what two clients of one channel get, in order, and says whether the texts are the same.
// Never looks at the page. A client that (re)connects without a place of its own joins somewhere
// in the stream: only then may each have messages that the other never gets.

const PATIENCE = 50; // messages that both may have without one in common, before that is a fault

export class Pairing {
  #waiting = { ws: [], sse: [] };
  #joining = true;

  /** `settle(message, state)` is called once it is known: "same", "different", "alone". */
  constructor(settle) {
    this.settle = settle;
    this.same = 0;
    this.different = 0;
  }

  /** A client begins anew, at a place that nobody knows. */
  join() {
    this.#joining = true;
  }

  /** How many messages the other client has and this one does not have yet. */
  behind(wire) {
    return this.#waiting[wire === "ws" ? "sse" : "ws"].length;
  }

  /** `message` is anything with a `text`. */
  take(wire, message) {
    this.#waiting[wire].push(message);
    const { ws, sse } = this.#waiting;
    while (ws.length && sse.length) {
      if (this.#joining && !this.#meet(ws, sse)) return;
      this.#pair(ws.shift(), sse.shift());
    }
  }

  #pair(left, right) {
    const state = left.text === right.text ? "same" : "different";
    this[state] += 1;
    this.settle(left, state);
    this.settle(right, state);
  }

  /** Pass over what stands before the first text that both have; false while there is none. */
  #meet(ws, sse) {
    for (let sum = 0; sum < ws.length + sse.length - 1; sum += 1) {
      for (let at = Math.max(0, sum - sse.length + 1); at <= Math.min(sum, ws.length - 1); at += 1) {
        if (ws[at].text !== sse[sum - at].text) continue;
        const alone = [...ws.splice(0, at), ...sse.splice(0, sum - at)];
        for (const message of alone) this.settle(message, "alone");
        this.#joining = false;
        return true;
      }
    }
    this.#joining = Math.min(ws.length, sse.length) < PATIENCE;
    return !this.#joining;
  }
}
