// The Calculator on grpc-js, as its examples write a server:
//
//     node server.js HOST:PORT CALC_PROTO

'use strict';

const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

// The product of two int32s may not fit a double.
function fit(n1, sign, n2, result) {
  if (INT32_MIN <= result && result <= INT32_MAX) {
    return { n1: Number(result) };
  }
  const details = `${n1} ${sign} ${n2} = ${result} does not fit an int32 (${INT32_MIN} to ${INT32_MAX})`;
  throw { code: grpc.status.OUT_OF_RANGE, details };
}

const add = ({ n1, n2 }) => fit(n1, '+', n2, n1 + n2);
const substract = ({ n1, n2 }) => fit(n1, '-', n2, n1 - n2);
const multiply = ({ n1, n2 }) => fit(n1, '*', n2, BigInt(n1) * BigInt(n2));

function divide({ n1, n2 }) {
  if (n2 === 0) {
    throw { code: grpc.status.INVALID_ARGUMENT, details: 'division by zero' };
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

const [address, proto] = process.argv.slice(2);
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
server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) {
    console.error(`cannot listen on ${address}: ${error.message}`);
    process.exit(1);
  }
  console.log(`listening on ${address.slice(0, address.lastIndexOf(':'))}:${port}`);
});
