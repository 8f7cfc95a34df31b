// Starts a job, follows it with the JavaScript Socket.IO client, and writes its output to stdout.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../frontend/package.json', import.meta.url));
const { io } = require('socket.io-client');

const [url, job] = process.argv.slice(2);
const socket = io(url, { transports: ['websocket'] });
const chunks = [];
let reached = 0;
let total = null;

function endWhenComplete() {
  if (total === null || reached < total) return;
  process.stdout.write(Buffer.concat(chunks), () => process.exit(0));
}

socket.on('output', (event, acknowledge) => {
  if (event.offset !== reached) throw new Error(`expected offset ${reached}, got ${event.offset}`);
  chunks.push(event.data);
  reached += event.data.length;
  acknowledge({});
  endWhenComplete();
});
socket.on('status', ({ run }) => {
  if (run.ended) total = run.output_bytes;
  endWhenComplete();
});
socket.on('connect_error', (error) => {
  throw error;
});
socket.on('connect', async () => {
  const { run } = await socket.emitWithAck('start', { job, params: {} });
  await socket.emitWithAck('attach', { run: run.id, offset: 0 });
});
