// Two clients of one channel, as real pages have them: a legacy WebSocket and an EventSource.
// Left of it all, a view for each. Nothing here knows that a bridge stands behind the URLs.

import { Pairing } from "./pairing.js";

const asked = new URLSearchParams(location.search);
const AWAY = Number(asked.get("away") ?? 3000); // of a dropped EventSource, in milliseconds
const AGAIN = 2000; // how long after a loss to connect again, as the legacy client does at first
const ROWS = 150;

const about = await (await fetch("/demo/about")).json();
const byId = (id) => document.getElementById(id);
const path = { ws: `/api/v1/ws/${about.channel}`, sse: `/api/v1/events/${about.channel}` };

function say(text) {
  byId("announcer").textContent = text;
}

function element(name, kind, text) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
}

function clock(date) {
  return date.toTimeString().slice(0, 8) + "." + String(date.getMilliseconds()).padStart(3, "0");
}

/** `a1b2c3d4e5f6-17` as `e5f6-17`: the end of the epoch tells epochs apart as well. */
function short(id) {
  const [epoch, place] = id.split("-");
  return `${epoch.slice(-4)}-${place}`;
}

function pulse(hop) {
  const dot = hop.querySelector("i");
  dot.classList.remove("moving");
  void dot.offsetWidth; // restarts the animation
  dot.classList.add("moving");
}

class Pane {
  constructor(wire) {
    this.root = byId(wire);
    this.hop = byId(`hop-${wire}`);
    this.wire = wire;
    this.count = 0;
    this.find(".url").textContent = path[wire];
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  state(name, text) {
    const badge = this.find(".state");
    badge.dataset.state = name;
    badge.textContent = text ?? name;
    this.hop.dataset.state = name;
  }

  note(text, kind = "") {
    this.insert(element("li", `note ${kind}`, text));
  }

  insert(row) {
    const list = this.find(".events");
    list.prepend(row);
    while (list.childElementCount > ROWS) list.lastElementChild.remove();
  }

  /** Show a message; gives what the pairing is to settle. */
  show(text, id) {
    const frame = parse(text);
    const row = element("li", "new");
    const cells = [element("span", "time", clock(new Date())), title(frame)];
    if (this.wire === "sse") {
      cells.push(element("span", "id", short(id)));
      cells.at(-1).title = id;
    }
    const size = new TextEncoder().encode(text).length;
    cells.push(element("span", "size", size), element("span", "same", "…"));
    cells.at(-1).dataset.state = "waiting";
    row.append(...cells);
    row.dataset.text = text;
    row.dataset.id = id;
    this.insert(row);
    this.count += 1;
    this.find(".counts").textContent = `${this.count} ${this.count === 1 ? "event" : "events"}`;
    this.follow(frame);
    pulse(this.hop);
    return { text, row };
  }

  /** What the message means for the render, as an ordinary page would take it. */
  follow({ type, object = {} }) {
    const image = this.find("img");
    if (type === "task" && object.status === "in_progress") {
      this.progress(0, `Render ${object.id.slice(1)}`);
      image.classList.add("old");
    } else if (type === "task") {
      const done = object.status === "completed";
      this.find(".what").textContent = `Render ${object.id.slice(1)} ${done ? "done" : "superseded"}`;
    } else if (type === "render_progress") {
      this.progress(object.progress, `Render ${object.id.slice(1)}`);
    } else if (type === "render_result") {
      image.src = object.url;
      image.alt = object.name;
      image.hidden = false;
      image.classList.remove("old");
    }
  }

  progress(value, what) {
    this.find(".bar").setAttribute("aria-valuenow", value);
    this.find(".bar i").style.width = `${value}%`;
    this.find(".percent").textContent = `${value} %`;
    this.find(".what").textContent = what;
  }
}

function parse(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

function title({ type = "?", object = {} }) {
  const cell = element("span", "type", `${type} `);
  const detail = object.progress ?? object.status ?? object.name ?? object.type ?? "";
  cell.append(element("em", "", detail));
  return cell;
}

const panes = { ws: new Pane("ws"), sse: new Pane("sse") };

const SIGNS = { same: ["✓", "the same bytes"], different: ["✗", "DIFFERENT"], alone: ["–", "only here"] };

const pairing = new Pairing((message, state) => {
  const cell = message.row.querySelector(".same");
  [cell.textContent, cell.title] = SIGNS[state];
  cell.dataset.state = state;
  const verdict = byId("verdict");
  verdict.dataset.state = pairing.different ? "different" : "same";
  const differing = pairing.different ? `${pairing.different} different, ` : "";
  verdict.textContent = `${differing}${pairing.same} identical on both wires`;
});

// The legacy client: connects, subscribes, listens, and tries again when it is cut off.
let socket;

function openSocket() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}${path.ws}`);
  socket.onopen = () => {
    pairing.join();
    socket.send(JSON.stringify({ type: "subscribe", projectId: about.channel }));
  };
  socket.onmessage = ({ data }) => {
    if (parse(data).type === "subscribe") panes.ws.state("connected");
    else pairing.take("ws", panes.ws.show(data, ""));
  };
  socket.onclose = ({ code }) => {
    panes.ws.state("down", "reconnecting");
    if (code !== 1006) panes.ws.note(`closed with code ${code}`, "bad");
    setTimeout(openSocket, AGAIN);
  };
}

// The new client. A browser resumes by itself; a closed EventSource is opened with its last id.
let source;
let lastId = "";
let resumed = null; // how many events were replayed since a drop; null once all are
let backend = "up"; // or "down", or "back" until its first event; "gap" where some are missing

function openSource() {
  const query = lastId ? `?last_event_id=${encodeURIComponent(lastId)}` : "";
  if (!lastId) pairing.join();
  source = new EventSource(path.sse + query);
  source.onopen = () => panes.sse.state("connected");
  source.onmessage = ({ data, lastEventId }) => {
    lastId = lastEventId;
    byId("place").textContent = lastEventId;
    tellBack();
    pulse(byId("hop-up"));
    const message = panes.sse.show(data, lastEventId);
    if (resumed !== null && pairing.behind("sse")) {
      message.row.classList.add("replayed");
      resumed += 1;
    }
    pairing.take("sse", message);
    tellReplay();
  };
  source.addEventListener("bridge.ping", ({ lastEventId }) => (lastId = lastEventId));
  source.addEventListener("bridge.gap", ({ data, lastEventId }) => {
    lastId = lastEventId;
    pairing.join();
    const { lost, reason } = parse(data);
    const what = lost === null ? "events may be missing" : `${lost} events are missing`;
    panes.sse.note(`bridge.gap: ${what} (${reason})`, "bad");
    if (backend === "back") backend = "gap";
    say("The bridge tells of a gap.");
  });
  source.onerror = () => {
    panes.sse.state("down", "reconnecting");
    if (source.readyState === EventSource.CLOSED) setTimeout(openSource, AGAIN);
  };
}

function tellReplay() {
  if (resumed === null || pairing.behind("sse")) return;
  const text = `resumed: ${resumed} ${resumed === 1 ? "event" : "events"} replayed, none lost`;
  panes.sse.note(text, "good");
  say(`EventSource ${text}`);
  resumed = null;
}

function tellBack() {
  if (backend === "up" || backend === "down") return;
  const text = backend === "back" ? "the backend is back, and all is caught up" : "the backend is back";
  panes.sse.note(text, backend === "back" ? "good" : "");
  panes.ws.note("the backend is back");
  byId("hop-up").dataset.state = "connected";
  say(text);
  backend = "up";
}

byId("drop").onclick = async ({ currentTarget: button }) => {
  button.disabled = true;
  source.close();
  panes.sse.state("down", "dropped");
  panes.sse.note(`dropped after ${lastId ? short(lastId) : "nothing"}`, "bad");
  say("The EventSource is disconnected for a moment.");
  await new Promise((done) => setTimeout(done, AWAY));
  resumed = 0;
  openSource();
  source.addEventListener("open", tellReplay);
  button.disabled = false;
};

byId("restart").onclick = async ({ currentTarget: button }) => {
  button.disabled = true;
  byId("hop-up").dataset.state = backend = "down";
  for (const pane of Object.values(panes)) pane.note("the backend is down; this client is not");
  say("The backend is down. Both clients stay connected.");
  await fetch("/demo/restart", { method: "POST" }).catch(() => {});
  backend = "back";
  button.disabled = false;
};

byId("send").onclick = () => {
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send('{"type":"render"}');
  panes.ws.note('sent {"type":"render"}', "good");
};

byId("source").textContent = about.source === "legacy" ? "WebSocket" : "SSE";
byId("hop-up").classList.add(about.source === "legacy" ? "ws" : "sse");
byId("channel").textContent = about.channel;
byId("backend").textContent = about.backend;
openSource();
openSocket();
