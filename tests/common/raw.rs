//! RPCs of bytes, without message types.

use std::io::Read;
use std::sync::Arc;

use grpcio::{CallOption, ChannelBuilder, Client, EnvBuilder, Marshaller, MetadataBuilder, Method, MethodType};
use grpcio_kit::{Code, Status};

use super::PATIENCE;

/// A client that sends and receives bytes.
pub struct RawClient {
    client: Client,
}

impl RawClient {
    pub fn connect(target: &str) -> RawClient {
        let env = Arc::new(EnvBuilder::new().cq_count(1).build());
        RawClient { client: Client::new(ChannelBuilder::new(env).connect(target)) }
    }

    /// Calls the unary method at `path`.
    pub fn call(&self, path: &str, request: &[u8]) -> Result<Vec<u8>, Status> {
        self.call_with(path, request, options())
    }

    /// Calls the unary method at `path` with a bearer token.
    pub fn call_as(&self, token: &str, path: &str, request: &[u8]) -> Result<Vec<u8>, Status> {
        let mut metadata = MetadataBuilder::new();
        metadata.add_str("authorization", &format!("Bearer {token}")).unwrap();
        self.call_with(path, request, options().headers(metadata.build()))
    }

    fn call_with(&self, path: &str, request: &[u8], options: CallOption) -> Result<Vec<u8>, Status> {
        Ok(self.client.unary_call(&method(path, MethodType::Unary), &request.to_vec(), options)?)
    }

    /// Starts an RPC without a request: it is in flight until it is dropped or the server ends it.
    pub fn open(&self, path: &str) -> OpenCall {
        let (requests, reply) =
            self.client.client_streaming(&method(path, MethodType::ClientStreaming), options()).unwrap();
        OpenCall { _requests: requests, reply }
    }
}

/// An RPC without a request yet.
pub struct OpenCall {
    _requests: grpcio::ClientCStreamSender<Vec<u8>>,
    reply: grpcio::ClientCStreamReceiver<Vec<u8>>,
}

impl OpenCall {
    /// Waits for the server to end the RPC, and returns its status code.
    pub fn end(self) -> Code {
        let ended: Result<Vec<u8>, grpcio::Error> = futures::executor::block_on(self.reply);
        ended.map_or_else(|error| Status::from(error).code(), |_| Code::Ok)
    }
}

fn options() -> CallOption {
    CallOption::default().timeout(PATIENCE).wait_for_ready(true)
}

fn method(path: &str, ty: MethodType) -> Method<Vec<u8>, Vec<u8>> {
    let marshaller = || Marshaller {
        ser: |bytes: &Vec<u8>, buffer| {
            *buffer = bytes.as_slice().into();
            Ok(())
        },
        de: |mut reader| {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).map_err(|error| grpcio::Error::Codec(error.into()))?;
            Ok(bytes)
        },
    };
    // grpcio's methods are static; a test has few of them.
    let name = Box::leak(path.to_owned().into_boxed_str());
    Method { ty, name, req_mar: marshaller(), resp_mar: marshaller() }
}
