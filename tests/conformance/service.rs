//! `grpc.testing.TestService`: a method of each kind, which replies as its requests ask for.

use std::time::Duration;

use futures::{FutureExt, Stream, StreamExt, TryFutureExt, TryStreamExt, future, stream};
use futures_timer::Delay;
use grpcio_kit::{Call, Code, ReplyFuture, ReplyStream, RequestStream, Status};
use protobuf::MessageField;

use crate::protos::grpc_testing::empty::Empty;
use crate::protos::grpc_testing::messages::{
    EchoStatus, Payload, ResponseParameters, SimpleRequest, SimpleResponse, StreamingInputCallRequest,
    StreamingInputCallResponse, StreamingOutputCallRequest, StreamingOutputCallResponse,
};
use crate::protos::grpc_testing::test_grpc::TestService;

pub struct Conforming;

impl TestService for Conforming {
    fn empty_call(&self, _: &Call<'_>, _: Empty) -> Result<Empty, Status> {
        Ok(Empty::new())
    }

    fn unary_call(&self, _: &Call<'_>, request: SimpleRequest) -> Result<SimpleResponse, Status> {
        requested_status(&request.response_status)?;
        Ok(SimpleResponse { payload: zeros(request.response_size)?, ..Default::default() })
    }

    fn streaming_output_call(
        &self,
        _: &Call<'_>,
        request: StreamingOutputCallRequest,
    ) -> Result<ReplyStream<StreamingOutputCallResponse>, Status> {
        Ok(replies(request)?.boxed())
    }

    fn streaming_input_call(
        &self,
        _: &Call<'_>,
        requests: RequestStream<StreamingInputCallRequest>,
    ) -> ReplyFuture<StreamingInputCallResponse> {
        async move {
            let sizes = requests.map_ok(|request| request.payload.body.len());
            let sum = sizes.try_fold(0, |sum, size| future::ok(sum + size)).await?;
            let aggregated_payload_size =
                i32::try_from(sum).map_err(|_| Status::new(Code::OutOfRange, format!("{sum} bytes are too many")))?;
            Ok(StreamingInputCallResponse { aggregated_payload_size, ..Default::default() })
        }
        .boxed()
    }

    fn full_duplex_call(
        &self,
        _: &Call<'_>,
        requests: RequestStream<StreamingOutputCallRequest>,
    ) -> Result<ReplyStream<StreamingOutputCallResponse>, Status> {
        Ok(requests.map(|request| replies(request?)).try_flatten().boxed())
    }

    fn half_duplex_call(
        &self,
        _: &Call<'_>,
        requests: RequestStream<StreamingOutputCallRequest>,
    ) -> Result<ReplyStream<StreamingOutputCallResponse>, Status> {
        let all = requests.try_collect::<Vec<_>>().map_ok(|requests| stream::iter(requests).map(Ok::<_, Status>));
        Ok(all.try_flatten_stream().map(|request| replies(request?)).try_flatten().boxed())
    }
}

/// Returns the replies that a request asks for.
fn replies(
    request: StreamingOutputCallRequest,
) -> Result<impl Stream<Item = Result<StreamingOutputCallResponse, Status>> + Send, Status> {
    requested_status(&request.response_status)?;
    Ok(stream::iter(request.response_parameters).then(reply))
}

async fn reply(parameters: ResponseParameters) -> Result<StreamingOutputCallResponse, Status> {
    let interval = u64::try_from(parameters.interval_us).map_err(|_| negative("interval_us"))?;
    if interval > 0 {
        Delay::new(Duration::from_micros(interval)).await;
    }
    Ok(StreamingOutputCallResponse { payload: zeros(parameters.size)?, ..Default::default() })
}

/// Fails with the status that a request asks for, if it is not OK.
fn requested_status(status: &MessageField<EchoStatus>) -> Result<(), Status> {
    match Code::from(status.code) {
        Code::Ok => Ok(()),
        code => Err(Status::new(code, &*status.message)),
    }
}

fn zeros(size: i32) -> Result<MessageField<Payload>, Status> {
    let size = usize::try_from(size).map_err(|_| negative("size"))?;
    Ok(MessageField::some(Payload { body: vec![0; size], ..Default::default() }))
}

fn negative(field: &str) -> Status {
    Status::new(Code::InvalidArgument, format!("{field} must not be negative"))
}
