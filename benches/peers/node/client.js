// The Calculator's client on grpc-js, as its examples write one:
//
//     node client.js CALC_PROTO HOST:PORT                     one call, as a program of its own
//     node client.js CALC_PROTO HOST:PORT IN_FLIGHT CALLS     a measured run (benches/compare/clients.py)

'use strict';

const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');
const readline = require('readline');

const [proto, address, ...counts] = process.argv.slice(2);
const options = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };
const { calc } = grpc.loadPackageDefinition(protoLoader.loadSync(proto, options));
const client = new calc.Calculator(address, grpc.credentials.createInsecure());

const add = () =>
  new Promise((resolve, reject) => {
    client.Add({ n1: 20, n2: 10 }, { deadline: Date.now() + 5000 }, (error, reply) => {
      if (error || reply.n1 !== 30) {
        reject(error || new Error(`20 + 10 is ${reply.n1}`));
      } else {
        resolve(reply.n1);
      }
    });
  });

// Makes equally many calls in each of `inFlight` loops. Returns their latencies in µs.
async function run(inFlight, calls) {
  const latencies = [];
  const loop = async () => {
    for (let call = 0; call < Math.floor(calls / inFlight); call++) {
      const began = process.hrtime.bigint();
      await add();
      latencies.push(Number(process.hrtime.bigint() - began) / 1000);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  return latencies;
}

async function main() {
  if (counts.length === 0) {
    console.log(await add());
    client.close();
    return;
  }
  const [inFlight, calls] = counts.map(Number);
  const input = readline.createInterface({ input: process.stdin });
  const lines = input[Symbol.asyncIterator]();
  // Tells the measuring program `what`, and waits until it answers.
  const tell = async (what) => {
    console.log(what);
    await lines.next();
  };
  await run(inFlight, Math.max(inFlight, calls / 5));
  await tell('ready');
  const latencies = await run(inFlight, calls);
  await tell('done');
  latencies.sort((a, b) => a - b);
  console.log(latencies[Math.floor(latencies.length / 2)], latencies[Math.floor((latencies.length * 99) / 100)]);
  input.close();
  client.close();
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
