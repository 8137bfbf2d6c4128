// The details of a status: a google.rpc.Status in the metadata `grpc-status-details-bin`, for which grpc-js has no
// function of its own.

'use strict';

const grpc = require('@grpc/grpc-js');
const path = require('path');
const protobuf = require('protobufjs');

const KEY = 'grpc-status-details-bin';
const TYPES = 'type.googleapis.com/';

// `protos` is the folder that contains google/rpc.
module.exports = (protos) => {
  const root = new protobuf.Root();
  root.resolvePath = (_, file) =>
    file.startsWith('google/rpc') ? path.join(protos, file) : protobuf.util.path.resolve('', file);
  root.loadSync(['google/rpc/status.proto', 'google/rpc/error_details.proto'], { keepCase: true });
  const Status = root.lookupType('google.rpc.Status');
  return {
    // The metadata with these details: pairs of a type's name and its fields.
    metadata(code, message, details) {
      const packed = details.map(([name, fields]) => {
        const type = root.lookupType(name);
        return { type_url: TYPES + name, value: type.encode(type.create(fields)).finish() };
      });
      const metadata = new grpc.Metadata();
      metadata.set(KEY, Buffer.from(Status.encode(Status.create({ code, message, details: packed })).finish()));
      return metadata;
    },
    // The details of an error, as such pairs.
    of(error) {
      const [value] = error.metadata.get(KEY);
      return Status.decode(value).details.map((detail) => {
        const name = detail.type_url.slice(TYPES.length);
        const type = root.lookupType(name);
        return [name, type.toObject(type.decode(detail.value))];
      });
    },
  };
};
