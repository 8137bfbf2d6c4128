//! The four kinds of methods, from a generated client to a generated service and back:
//! blocking and asynchronous, with messages that are nested and imported.

use std::sync::Mutex;

use calc::proto::calc::{
    AddReply, AddRequest, DivideReply, DivideRequest, MeuliplyReply, MultiplyRequest, SubstractReply, SubstractRequest,
};
use calc::proto::calc_grpc::{CalculatorAsync, CalculatorClient, calculator_async_service};
use futures::channel::{mpsc, oneshot};
use futures::executor::{block_on, block_on_stream};
use futures::future::{Shared, try_join_all};
use futures::{FutureExt, SinkExt, StreamExt, TryStreamExt, stream};
use grpcio_kit::{
    Call, CallOptions, Code, Metadata, MetadataBuilder, ReplyFuture, ReplyStream, RequestStream, Server, Status,
};
use protobuf::well_known_types::empty::Empty;

use crate::common::process::{python, stdout_of};
use crate::common::raw::RawClient;
use crate::common::{PATIENCE, channel, start, target};
use crate::protos::kinds::Every;
use crate::protos::kinds::every::Nested;
use crate::protos::kinds_grpc::{Kinds, KindsClient, kinds_service};
use crate::protos::shapes::Shape;
use crate::protos::shapes::shape::Corner;
use crate::protos::shapes::shape::corner::Radius;

/// A service that echoes its requests, as the reply types allow.
pub struct Echo;

impl Kinds for Echo {
    fn unary(&self, call: &Call<'_>, mut request: Shape) -> Result<Shape, Status> {
        if let Some(hand) = call.metadata("hand") {
            request.set_hand(String::from_utf8_lossy(hand).into_owned());
        }
        Ok(request)
    }

    fn server_streaming(&self, _: &Call<'_>, request: Shape) -> Result<ReplyStream<Corner>, Status> {
        if request.corners.is_empty() {
            return Err(Status::new(Code::InvalidArgument, "a shape without corners"));
        }
        Ok(stream::iter(request.corners).map(Ok).boxed())
    }

    fn client_streaming(&self, _: &Call<'_>, requests: RequestStream<Corner>) -> ReplyFuture<Shape> {
        Box::pin(async move {
            // Replies as soon as it has three corners, whether there are more or not.
            let corners = requests.take(3).try_collect().await?;
            Ok(Shape { corners, ..Default::default() })
        })
    }

    fn bidi_streaming(&self, _: &Call<'_>, requests: RequestStream<Radius>) -> Result<ReplyStream<Nested>, Status> {
        let reply = |radius: Radius| {
            if radius.length < 0.0 {
                return Err(Status::new(Code::OutOfRange, "a negative radius"));
            }
            Ok(Nested { text: radius.length.to_string(), ..Default::default() })
        };
        Ok(requests.map(move |radius| reply(radius?)).boxed())
    }

    fn r#move(&self, _: &Call<'_>, request: Empty) -> Result<Empty, Status> {
        Ok(request)
    }

    fn self_(&self, _: &Call<'_>, request: Every) -> Result<Every, Status> {
        Ok(request)
    }

    fn new(&self, _: &Call<'_>, request: Empty) -> Result<Empty, Status> {
        Ok(request)
    }

    fn name(&self, _: &Call<'_>, request: Empty) -> Result<Empty, Status> {
        Ok(request)
    }

    fn clone(&self, _: &Call<'_>, request: Empty) -> Result<Empty, Status> {
        Ok(request)
    }

    fn unary_async(&self, _: &Call<'_>, request: Shape) -> Result<Shape, Status> {
        Ok(request)
    }

    fn get_http_info2(&self, _: &Call<'_>, request: Shape) -> Result<Shape, Status> {
        Ok(request)
    }
}

fn kinds() -> (Server, KindsClient) {
    let server = start(Server::builder().service(kinds_service(Echo)));
    let client = KindsClient::new(channel(&server));
    (server, client)
}

fn options() -> CallOptions {
    CallOptions::default().timeout(PATIENCE)
}

pub fn corners(count: i32) -> Vec<Corner> {
    (0..count).map(|x| Corner { x, y: -x, ..Default::default() }).collect()
}

pub fn shape(count: i32) -> Shape {
    Shape { corners: corners(count), ..Default::default() }
}

pub fn radius(length: f32) -> Radius {
    Radius { length, ..Default::default() }
}

fn texts(replies: impl Iterator<Item = Result<Nested, Status>>) -> Vec<Result<String, Code>> {
    replies.map(|reply| reply.map(|nested| nested.text).map_err(|status| status.code())).collect()
}

#[test]
fn a_unary_rpc_has_one_reply() {
    let (_server, client) = kinds();
    assert_eq!(client.unary(&shape(2), options()), Ok(shape(2)));
    assert_eq!(block_on(client.unary_async_(&shape(2), options())), Ok(shape(2)));
}

#[test]
fn a_server_streaming_rpc_has_any_number_of_replies() {
    let (_server, client) = kinds();
    let replies: Result<Vec<_>, _> = client.server_streaming(&shape(1000), options()).collect();
    assert_eq!(replies, Ok(corners(1000)));
    let replies = client.server_streaming_async(&shape(10), options());
    assert_eq!(block_on(replies.try_collect::<Vec<_>>()), Ok(corners(10)));
}

#[test]
fn a_server_streaming_rpc_that_fails_at_once_has_its_status() {
    let (_server, client) = kinds();
    let replies: Vec<_> = client.server_streaming(&shape(0), options()).collect();
    assert!(matches!(&replies[..], [Err(status)] if status.message() == "a shape without corners"), "{replies:?}");
}

#[test]
fn a_client_streaming_rpc_takes_any_number_of_requests() {
    let (_server, client) = kinds();
    assert_eq!(client.client_streaming(corners(2), options()), Ok(shape(2)));
    assert_eq!(client.client_streaming([], options()), Ok(shape(0)));
    let reply = client.client_streaming_async(stream::iter(corners(3)), options());
    assert_eq!(block_on(reply), Ok(shape(3)));
}

/// grpcio cancels a call whose requests are dropped before their end: such a reply was lost.
#[test]
fn a_reply_sent_before_the_last_request_is_received() {
    let (_server, client) = kinds();
    assert_eq!(client.client_streaming(corners(100_000), options()), Ok(shape(3)));
    let endless = stream::iter(corners(3)).chain(stream::pending());
    assert_eq!(block_on(client.client_streaming_async(endless, options())), Ok(shape(3)));
}

#[test]
fn a_bidi_streaming_rpc_receives_replies_while_it_sends_requests() {
    let (_server, client) = kinds();
    let (mut requests, sent) = mpsc::channel(1);
    let mut replies = block_on_stream(client.bidi_streaming_async(sent, options()));
    for length in [1.0, 2.5, 4.0] {
        block_on(requests.send(radius(length))).unwrap();
        assert_eq!(replies.next().unwrap().unwrap().text, length.to_string());
    }
    drop(requests);
    assert!(replies.next().is_none());
}

#[test]
fn a_blocking_bidi_streaming_rpc_is_an_iterator() {
    let (_server, client) = kinds();
    let lengths = (0..1000_u16).map(|n| radius(f32::from(n)));
    let replies = texts(client.bidi_streaming(lengths, options()));
    assert_eq!(replies, (0..1000).map(|n| Ok(n.to_string())).collect::<Vec<_>>());
}

#[test]
fn a_status_ends_a_stream() {
    let (_server, client) = kinds();
    let lengths = [1.0, 2.0, -3.0, 4.0].map(radius);
    let replies = texts(client.bidi_streaming(lengths, options()));
    assert_eq!(replies.last(), Some(&Err(Code::OutOfRange)));
    // grpcio's receiver may drop replies that come together with the status.
    assert!(replies.len() <= 3, "{replies:?}");
}

/// Python's client receives all of them.
#[test]
fn the_replies_before_a_status_are_sent() {
    let (server, _client) = kinds();
    let output = stdout_of(python("tests/python/status_after_replies.py").arg(target(&server)));
    assert_eq!(output, "2 replies, then OUT_OF_RANGE: a negative radius\n");
}

/// An RPC keeps its channel: once, it lost its completion queue and never ended.
#[test]
fn an_rpc_outlives_its_client() {
    let (_server, client) = kinds();
    let replies = client.server_streaming(&shape(1000), options());
    let reply = client.move_async(&Empty::new(), options());
    drop(client);
    assert_eq!(replies.collect::<Result<Vec<_>, _>>(), Ok(corners(1000)));
    assert_eq!(block_on(reply), Ok(Empty::new()));
}

#[test]
fn a_malformed_request_in_a_stream_ends_the_rpc() {
    let (server, _client) = kinds();
    let status = RawClient::connect(&target(&server)).call("/test.Kinds/BidiStreaming", &[0x0d, 1]).unwrap_err();
    assert_eq!(status.code(), Code::Internal, "{status}");
    assert!(status.message().starts_with("cannot decode test.Shape.Corner.Radius: "), "{status}");
}

#[test]
fn metadata_reaches_the_method() {
    let (_server, client) = kinds();
    let mut metadata = MetadataBuilder::new();
    metadata.add_str("hand", "left").unwrap();
    let metadata: Metadata = metadata.build();
    let reply = client.unary(&shape(1), options().metadata(metadata)).unwrap();
    assert_eq!(reply.hand(), "left");
}

#[test]
fn methods_whose_names_are_keywords_or_taken_can_be_called() {
    let (_server, client) = kinds();
    assert_eq!(client.r#move(&Empty::new(), options()), Ok(Empty::new()));
    assert_eq!(client.self_(&Every::new(), options()), Ok(Every::new()));
    assert_eq!(client.get_http_info2(&shape(1), options()), Ok(shape(1)));
}

#[test]
fn the_constants_have_the_paths_of_the_methods() {
    use crate::protos::kinds_grpc::kinds;

    assert_eq!(kinds::NAME, "test.Kinds");
    assert_eq!(kinds::UNARY.path(), "/test.Kinds/Unary");
    assert_eq!(kinds::MOVE.path(), "/test.Kinds/Move");
    assert_eq!(kinds::GET_HTTP_INFO2.path(), "/test.Kinds/GetHTTPInfo2");
}

/// Its additions wait until it has divided.
struct Waiting {
    has_divided: Shared<oneshot::Receiver<()>>,
    divided: Mutex<Option<oneshot::Sender<()>>>,
}

impl CalculatorAsync for Waiting {
    async fn add(&self, _: Call<'static>, request: AddRequest) -> Result<AddReply, Status> {
        self.has_divided.clone().await.map_err(|_| Status::new(Code::Aborted, "the server has gone"))?;
        Ok(AddReply { n1: request.n1 + request.n2, ..Default::default() })
    }

    async fn substract(&self, _: Call<'static>, _: SubstractRequest) -> Result<SubstractReply, Status> {
        Err(Status::new(Code::Unimplemented, "only waits"))
    }

    async fn multiply(&self, _: Call<'static>, _: MultiplyRequest) -> Result<MeuliplyReply, Status> {
        Err(Status::new(Code::Unimplemented, "only waits"))
    }

    async fn divide(&self, _: Call<'static>, _: DivideRequest) -> Result<DivideReply, Status> {
        self.divided.lock().unwrap().take().unwrap().send(()).unwrap();
        Ok(DivideReply::new())
    }
}

/// More than there are threads, and with `divide` as many as a connection may have at a time.
#[test]
fn methods_that_are_async_fns_wait_without_holding_up_others() {
    let (divided, has_divided) = oneshot::channel();
    let service = Waiting { has_divided: has_divided.shared(), divided: Mutex::new(Some(divided)) };
    let server = start(Server::builder().service(calculator_async_service(service)));
    let client = CalculatorClient::new(channel(&server));
    let sums = (0..90).map(|n1| client.add_async(&AddRequest { n1, n2: 1, ..Default::default() }, options()));
    let sums = sums.collect::<Vec<_>>();
    assert_eq!(client.divide(&DivideRequest::new(), options()), Ok(DivideReply::new()));
    let sums: Vec<i32> = block_on(try_join_all(sums)).unwrap().into_iter().map(|reply| reply.n1).collect();
    assert_eq!(sums, (1..=90).collect::<Vec<_>>());
}
