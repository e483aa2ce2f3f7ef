// A client by the npm package `ws`: node ws_client.mjs URL COUNT [FRAME...]
//
// Sends each FRAME once open, prints COUNT messages as JSON lines {data, id, type} and closes.
// `type` is "text" or "binary"; binary data is printed as base64; `id` is always null.
// Exits with 1, saying why, where the connection ends before COUNT messages have come.
import WebSocket from "ws";

const [url, count, ...frames] = process.argv.slice(2);
let left = Number(count);

const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 0 });

socket.on("open", () => {
  for (const frame of frames) socket.send(frame);
  if (left === 0) socket.close();
});

socket.on("message", (data, isBinary) => {
  if (left === 0) return;
  const type = isBinary ? "binary" : "text";
  const text = data.toString(isBinary ? "base64" : "utf8");
  process.stdout.write(JSON.stringify({ data: text, id: null, type }) + "\n");
  left -= 1;
  if (left === 0) socket.close();
});

socket.on("error", (error) => console.error(error.message));

socket.on("close", (code, reason) => {
  if (left === 0) return;
  console.error(`closed with ${code} ${reason}, ${left} messages short`);
  process.exitCode = 1;
});
