// Checks a Calculator with grpc-js: prints a line for each check (script/interop).
//
//     node check.js CALC_PROTO GOOGLE_PROTOS TARGET [--ca FILE [--cert FILE --key FILE]] [--refused]

'use strict';

const assert = require('assert').strict;
const fs = require('fs');
const { parseArgs } = require('util');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');
const details = require('./details.js');

// Concurrent calls, each with operands of its own.
const CALLS = 10000;
// The deadline of calls that must succeed, and of one that must not.
const PATIENCE = 60000;
const SHORT = 200;

const file = { type: 'string' };
const { values: flags, positionals } = parseArgs({
  options: { ca: file, cert: file, key: file, refused: { type: 'boolean' } },
  allowPositionals: true,
});
const [proto, googleProtos, target] = positionals;
const read = (path) => (path ? fs.readFileSync(path) : null);
const credentials = flags.ca
  ? grpc.credentials.createSsl(read(flags.ca), read(flags.key), read(flags.cert))
  : grpc.credentials.createInsecure();
const options = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };
const { calc } = grpc.loadPackageDefinition(protoLoader.loadSync(proto, options));
const client = new calc.Calculator(target, credentials);

const deadline = (ms) => ({ deadline: Date.now() + ms });

const call = (method, request) =>
  new Promise((resolve, reject) => {
    client[method](request, deadline(PATIENCE), (error, reply) => (error ? reject(error) : resolve(reply)));
  });

const add = async (n1, n2) => assert.deepEqual(await call('Add', { n1, n2 }), { n1: n1 + n2 });

async function fourCalls() {
  assert.deepEqual(await call('Add', { n1: 20, n2: 10 }), { n1: 30 });
  assert.deepEqual(await call('Substract', { n1: 20, n2: 10 }), { n1: 10 });
  assert.deepEqual(await call('Multiply', { n1: 20, n2: 10 }), { n1: 200 });
  assert.deepEqual(await call('Divide', { n1: 10, n2: 2 }), { f1: 5 });
}

async function fails(promise, code, message, expected) {
  const error = await promise.then(() => assert.fail('it succeeded'), (failed) => failed);
  assert.deepEqual([error.code, error.details], [code, message]);
  assert.deepEqual(details(googleProtos).of(error), expected);
}

async function twoErrors() {
  const overflow = '2147483647 + 1 = 2147483648 does not fit an int32 (-2147483648 to 2147483647)';
  const metadata = { operation: 'Add', n1: '2147483647', n2: '1', result: '2147483648' };
  await fails(call('Add', { n1: 2147483647, n2: 1 }), grpc.status.OUT_OF_RANGE, overflow, [
    ['google.rpc.ErrorInfo', { reason: 'INT32_OVERFLOW', domain: 'calc', metadata }],
  ]);
  await fails(call('Divide', { n1: 1, n2: 0 }), grpc.status.INVALID_ARGUMENT, 'division by zero', [
    ['google.rpc.BadRequest', { field_violations: [{ field: 'n2', description: 'must not be zero' }] }],
    ['google.rpc.ErrorInfo', { reason: 'DIVISION_BY_ZERO', domain: 'calc' }],
  ]);
}

// Starts a call whose request never comes: it is in flight until it ends. Returns it, and its status code.
function open(ms) {
  const { path, requestSerialize, responseDeserialize } = calc.Calculator.service.Add;
  let ended;
  const code = new Promise((resolve) => (ended = resolve));
  const opened = client.makeClientStreamRequest(
    path, requestSerialize, responseDeserialize, deadline(ms), (error) => ended(error ? error.code : 0));
  return [opened, code];
}

async function callsWithoutRequest() {
  const [, late] = open(SHORT);
  assert.equal(await late, grpc.status.DEADLINE_EXCEEDED);
  await add(1, 1);
  console.log('deadline');
  const [opened, code] = open(PATIENCE);
  // The connection is in order: the server has its headers when it replies to this one.
  await add(1, 2);
  opened.cancel();
  assert.equal(await code, grpc.status.CANCELLED);
  await add(1, 3);
  console.log('cancellation');
}

async function main() {
  if (flags.refused) {
    const error = await add(1, 1).then(() => assert.fail('it succeeded'), (failed) => failed);
    assert.equal(error.code, grpc.status.UNAVAILABLE, error.message);
    console.log('refused');
    return;
  }
  await fourCalls();
  console.log('calls');
  await twoErrors();
  console.log('errors');
  await Promise.all(Array.from({ length: CALLS }, (_, n) => add(n, 1)));
  console.log('concurrency');
  await callsWithoutRequest();
}

main().then(
  () => client.close(),
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
