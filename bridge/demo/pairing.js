// Pairs what two clients of one channel get, in order, and says whether the texts are the same.
// Never looks at the page. A client that (re)connects without a place of its own joins somewhere
// in the stream: only then may the other have messages that this one never gets.

export class Pairing {
  #waiting = { ws: [], sse: [] };
  #joined = { ws: true, sse: true };

  /** Called with each message once its fate is known: "same", "different" or "alone". */
  constructor(settle) {
    this.settle = settle;
    this.same = 0;
    this.different = 0;
  }

  /** This client begins anew, at a place that nobody knows. */
  joins(wire) {
    this.#joined[wire] = true;
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
      if (ws[0].text !== sse[0].text && (this.#skip("ws", "sse") || this.#skip("sse", "ws"))) {
        continue;
      }
      this.#pair(ws.shift(), sse.shift());
    }
  }

  #pair(left, right) {
    const state = left.text === right.text ? "same" : "different";
    this[state] += 1;
    if (state === "same") this.#joined = { ws: false, sse: false };
    this.settle(left, state, right);
    this.settle(right, state, left);
  }

  /** Where `joiner` has just joined, pass over what `other` got before that. */
  #skip(joiner, other) {
    if (!this.#joined[joiner]) return false;
    const first = this.#waiting[joiner][0].text;
    const at = this.#waiting[other].findIndex((message) => message.text === first);
    for (const message of this.#waiting[other].splice(0, Math.max(at, 0))) {
      this.settle(message, "alone", null);
    }
    return at > 0;
  }
}
