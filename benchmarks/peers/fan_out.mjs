// Node.js as people use it: a broadcast loop over `ws`, and plain node:http for event streams.
// usage: node fan_out.mjs ws|sse PORT FEED
import http from 'node:http';
import net from 'node:net';
import { createRequire } from 'node:module';

const [mode, port, feed] = process.argv.slice(2);
const streams = new Set();
const server = http.createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.flushHeaders();
  streams.add(response);
  response.on('close', () => streams.delete(response));
});

function publishToStreams(line) {
  const block = `data: ${line}\n\n`;
  for (const response of streams) response.write(block);
}

function socketPublisher() {
  const require = createRequire(new URL('../../tests/peers/package.json', import.meta.url));
  const { WebSocketServer, WebSocket } = require('ws');
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket) => socket.on('error', () => {}));
  return (line) => {
    for (const socket of sockets.clients) {
      if (socket.readyState === WebSocket.OPEN) socket.send(line);
    }
  };
}

const publish = mode === 'ws' ? socketPublisher() : publishToStreams;
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
net
  .createServer((socket) => {
    let rest = '';
    socket.setEncoding('latin1');
    socket.on('error', () => {});
    socket.on('data', (data) => {
      const lines = (rest + data).split('\n');
      rest = lines.pop();
      lines.forEach(publish);
    });
  })
  .listen(Number(feed), '127.0.0.1');
