// The Calculator on grpc-js, as its examples write a server:
//
//     node server.js HOST:PORT CALC_PROTO GOOGLE_PROTOS [--cert FILE --key FILE [--client-ca FILE]]

'use strict';

const fs = require('fs');
const { parseArgs } = require('util');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');
const details = require('./details.js');

const file = { type: 'string' };
const { values: flags, positionals } = parseArgs({
  options: { cert: file, key: file, 'client-ca': file },
  allowPositionals: true,
});
const [address, proto, googleProtos] = positionals;
const { metadata } = details(googleProtos);

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

function fail(code, message, ...detailed) {
  throw { code, details: message, metadata: metadata(code, message, detailed) };
}

// The product of two int32s may not fit a double.
function fit(operation, n1, sign, n2, result) {
  if (INT32_MIN <= result && result <= INT32_MAX) {
    return { n1: Number(result) };
  }
  const message = `${n1} ${sign} ${n2} = ${result} does not fit an int32 (${INT32_MIN} to ${INT32_MAX})`;
  const operands = { operation, n1: String(n1), n2: String(n2), result: String(result) };
  fail(grpc.status.OUT_OF_RANGE, message, [
    'google.rpc.ErrorInfo',
    { reason: 'INT32_OVERFLOW', domain: 'calc', metadata: operands },
  ]);
}

const add = ({ n1, n2 }) => fit('Add', n1, '+', n2, n1 + n2);
const substract = ({ n1, n2 }) => fit('Substract', n1, '-', n2, n1 - n2);
const multiply = ({ n1, n2 }) => fit('Multiply', n1, '*', n2, BigInt(n1) * BigInt(n2));

function divide({ n1, n2 }) {
  if (n2 === 0) {
    const violation = { field: 'n2', description: 'must not be zero' };
    fail(
      grpc.status.INVALID_ARGUMENT,
      'division by zero',
      ['google.rpc.BadRequest', { field_violations: [violation] }],
      ['google.rpc.ErrorInfo', { reason: 'DIVISION_BY_ZERO', domain: 'calc' }],
    );
  }
  // 0 / -5 is -0, as required.
  return { f1: n1 / n2 };
}

const answer = (compute) => (call, callback) => {
  let reply;
  try {
    reply = compute(call.request);
  } catch (error) {
    callback(error);
    return;
  }
  callback(null, reply);
};

function credentials() {
  if (!flags.cert) {
    return grpc.ServerCredentials.createInsecure();
  }
  const pair = { cert_chain: fs.readFileSync(flags.cert), private_key: fs.readFileSync(flags.key) };
  const ca = flags['client-ca'] ? fs.readFileSync(flags['client-ca']) : null;
  return grpc.ServerCredentials.createSsl(ca, [pair], ca !== null);
}

// As in grpc-js's examples.
const options = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };
const { calc } = grpc.loadPackageDefinition(protoLoader.loadSync(proto, options));
const server = new grpc.Server();
server.addService(calc.Calculator.service, {
  Add: answer(add),
  Substract: answer(substract),
  Multiply: answer(multiply),
  Divide: answer(divide),
});
server.bindAsync(address, credentials(), (error, port) => {
  if (error) {
    console.error(`cannot listen on ${address}: ${error.message}`);
    process.exit(1);
  }
  console.log(`listening on ${address.slice(0, address.lastIndexOf(':'))}:${port}`);
});
