// A client by the npm package `eventsource`: node es_client.mjs URL COUNT [LAST_EVENT_ID [NAMES]]
//
// Prints COUNT events as JSON lines {data, id, type} and closes. Listens to `message`, and to each
// of the event names in NAMES (separated by commas). An empty LAST_EVENT_ID is none.
// Reconnects as the standard asks; exits with 1 where the server makes it give up for good.
import { EventSource } from "eventsource";

const [url, count, lastEventId = "", names = ""] = process.argv.slice(2);
let left = Number(count);

// The first request carries the given id; the package itself takes care of the later ones.
const resume = (input, init) =>
  fetch(input, { ...init, headers: { "Last-Event-ID": lastEventId, ...init.headers } });

const source = new EventSource(url, lastEventId ? { fetch: resume } : {});

const show = ({ data, lastEventId: id, type }) => {
  if (left === 0) return;
  process.stdout.write(JSON.stringify({ data, id, type }) + "\n");
  left -= 1;
  if (left === 0) source.close();
};

for (const name of ["message", ...names.split(",").filter(Boolean)]) {
  source.addEventListener(name, show);
}

source.addEventListener("error", (event) => {
  if (source.readyState !== source.CLOSED || left === 0) return;
  console.error(`gave up: ${event.code ?? ""} ${event.message ?? ""}, ${left} events short`);
  process.exitCode = 1;
});
