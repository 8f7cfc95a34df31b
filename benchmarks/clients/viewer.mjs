// Starts or follows a run and prints one JSON object: bytes, seconds, latencies in ms.
// argv: url, mode (count | ticks | stall), then either job=NAME params=JSON or run=ID.
import { createRequire } from 'node:module';
import process from 'node:process';

const require = createRequire(new URL('../../frontend/package.json', import.meta.url));
const { io } = require('socket.io-client');

const [url, mode, ...rest] = process.argv.slice(2);
const given = Object.fromEntries(rest.map((text) => text.split(/=(.*)/s).slice(0, 2)));
const socket = io(url, { transports: ['websocket'] });
const latencies = [];
let run = given.run ?? null;
let reached = 0;
let total = null;
let begin = process.hrtime.bigint();
let stalled = mode === 'stall';
const held = [];

function end() {
  if (total === null || reached < total) return;
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  process.stdout.write(JSON.stringify({ bytes: reached, seconds, latencies }) + '\n', () => process.exit(0));
}

function take(event) {
  if (event.run !== run) return;
  const now = process.hrtime.bigint();
  if (event.offset !== reached) throw new Error(`expected offset ${reached}, got ${event.offset}`);
  reached += event.data.length;
  if (mode === 'ticks') {
    for (const line of event.data.toString().split('\n').filter(Boolean)) latencies.push(Number(now - BigInt(line)) / 1e6);
  }
  end();
}

socket.on('output', (event, acknowledge) => {
  take(event);
  if (stalled) held.push(acknowledge); // acknowledges nothing: its window stays closed
  else acknowledge({});
});
socket.on('status', (event) => {
  if (event.run.id !== run || !event.run.ended) return;
  total = event.run.output_bytes;
  end();
});
process.stdin.on('data', () => { // told to read on
  stalled = false;
  begin = process.hrtime.bigint();
  for (const acknowledge of held.splice(0)) acknowledge({});
});
process.stdin.unref?.();
socket.on('connect', async () => {
  if (run === null) {
    begin = process.hrtime.bigint();
    const started = await socket.emitWithAck('start', { job: given.job, params: JSON.parse(given.params ?? '{}') });
    run = started.run.id;
    process.stderr.write(run + '\n');
  }
  const answer = await socket.emitWithAck('attach', { run, offset: reached });
  if (answer.run.ended) total = answer.run.output_bytes;
});
