// Reads a plain WebSocket to its end and prints one JSON object: bytes, seconds, latencies in ms.
import { createRequire } from 'node:module';
import process from 'node:process';

const require = createRequire(new URL('../../frontend/node_modules/engine.io-client/package.json', import.meta.url));
const WebSocket = require('ws');
const [url, mode] = process.argv.slice(2);
const begin = process.hrtime.bigint();
const latencies = [];
let bytes = 0;
const socket = new WebSocket(url);
socket.on('message', (data) => {
  const now = process.hrtime.bigint();
  bytes += data.length;
  if (mode === 'ticks') {
    for (const line of data.toString().trim().split('\n')) latencies.push(Number(now - BigInt(line)) / 1e6);
  }
});
socket.on('close', () => {
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  process.stdout.write(JSON.stringify({ bytes, seconds, latencies }) + '\n');
});
