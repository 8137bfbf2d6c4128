//! The C core's channel, and blocking RPCs on a completion queue of their own.
//!
//! grpcio has one way to wait: a thread polls a completion queue and wakes the thread that waits for the reply, two
//! `futex` calls and a context switch in each RPC. Here, as in C++'s synchronous stub, the waiting thread polls the
//! sockets itself: each RPC has a queue for plucking (`GRPC_CQ_PLUCK`), which costs no file descriptor and no system
//! call.
//!
//! All queues of a process share their pollers: another thread that polls may read the reply, and then wakes this one. So a
//! channel starts its thread ([`ClientThread`]) only at its first asynchronous or streaming RPC. Blocking RPCs after
//! that, or in a process with a server, may cost the context switches.

// grpcio has no such calls; it hides its pointers, too.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_void};
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use grpcio::{ChannelCredentials, GrpcSlice, Metadata, RpcStatus, RpcStatusCode};
use grpcio_sys as sys;
use grpcio_sys::grpc_connectivity_state as ConnectivityState;

use crate::channel::thread::ClientThread;
use crate::status::Status;
use crate::status::code::Code;

/// The metadata key of a status's details.
const DETAILS: &str = "grpc-status-details-bin";

/// Arguments of a channel.
#[derive(Default)]
pub(crate) struct ChannelArgs {
    integers: Vec<(&'static CStr, i32)>,
    strings: Vec<(&'static CStr, CString)>,
}

impl ChannelArgs {
    pub fn integer(&mut self, key: &'static CStr, value: i32) {
        self.integers.push((key, value));
    }

    pub fn string(&mut self, key: &'static CStr, value: CString) {
        self.strings.push((key, value));
    }

    fn as_core(&self) -> Vec<sys::grpc_arg> {
        let key = |key: &'static CStr| key.as_ptr().cast_mut();
        let integers = self.integers.iter().map(|(name, value)| sys::grpc_arg {
            type_: sys::grpc_arg_type::GRPC_ARG_INTEGER,
            key: key(name),
            value: sys::grpc_arg_grpc_arg_value { integer: *value },
        });
        let strings = self.strings.iter().map(|(name, value)| sys::grpc_arg {
            type_: sys::grpc_arg_type::GRPC_ARG_STRING,
            key: key(name),
            value: sys::grpc_arg_grpc_arg_value { string: value.as_ptr().cast_mut() },
        });
        integers.chain(strings).collect()
    }
}

/// A channel of the C core. It is grpcio's as soon as grpcio is needed, for an asynchronous or a streaming RPC.
pub(super) struct CoreChannel {
    channel: *mut sys::grpc_channel,
    /// The thread for grpcio, if the channel does not start one of its own.
    thread: Option<ClientThread>,
    client: OnceLock<grpcio::Client>,
    /// The number of blocking RPCs now.
    in_flight: AtomicUsize,
}

// SAFETY: any thread may use a channel of the C core, at the same time as others.
unsafe impl Send for CoreChannel {}
// SAFETY: as above.
unsafe impl Sync for CoreChannel {}

/// What a blocking RPC sends besides its request.
pub(super) struct Sent {
    pub timeout: Option<Duration>,
    pub wait_for_ready: bool,
    pub metadata: Option<Metadata>,
}

impl CoreChannel {
    /// Creates a channel, which connects at the first RPC.
    pub fn new(
        target: &CStr,
        credentials: Option<ChannelCredentials>,
        args: &ChannelArgs,
        thread: Option<ClientThread>,
    ) -> CoreChannel {
        init();
        let mut credentials = credentials.unwrap_or_else(ChannelCredentials::insecure);
        let mut list = args.as_core();
        let list = sys::grpc_channel_args { num_args: list.len(), args: list.as_mut_ptr() };
        // SAFETY: the C core is initialised; it copies the target and the arguments, and counts its own reference to
        // the credentials.
        let channel = unsafe { sys::grpc_channel_create(target.as_ptr(), credentials.as_mut_ptr(), &list) };
        CoreChannel { channel, thread, client: OnceLock::new(), in_flight: AtomicUsize::new(0) }
    }

    /// Returns grpcio's client on this channel; the first call starts its thread.
    pub fn client(&self) -> &grpcio::Client {
        self.client.get_or_init(|| {
            let ClientThread { environment } = self.thread.clone().unwrap_or_else(ClientThread::start);
            let queue = environment.pick_cq();
            // SAFETY: the channel is valid. From now on grpcio destroys it, with the last clone of this client. One is in
            // `self` as long as `self` lives; `Drop` below leaves the channel alone.
            let channel = unsafe { grpcio::Channel::new(queue, Arc::clone(&environment), self.channel) };
            grpcio::Client::new(channel)
        })
    }

    /// Makes a unary RPC and waits for its reply.
    pub fn unary(&self, path: &str, mut request: GrpcSlice, sent: Sent) -> Result<GrpcSlice, Status> {
        let queue = Queue::new();
        let _in_flight = match InFlight::new(&self.in_flight) {
            // Nobody has polled since the last RPC: a server may have closed the connection meanwhile, and an RPC on it
            // would fail.
            (in_flight, 0) if self.client.get().is_none() => {
                queue.poll();
                in_flight
            }
            (in_flight, _) => in_flight,
        };
        let call = Call::new(self, &queue, path, sent.timeout);
        let batch = Batch::new();
        let flags = if sent.wait_for_ready { sys::GRPC_INITIAL_METADATA_WAIT_FOR_READY } else { 0 };
        let mut metadata = sent.metadata.map(into_array);
        let metadata = metadata.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
        // SAFETY: call and batch are valid, and outlive the batch of operations, for whose end this waits. The C core
        // takes over the metadata, counts its own reference to the request, and ignores what the tag points to.
        let code = unsafe {
            sys::grpcwrap_call_start_unary(call.0, batch.0, request.as_mut_ptr(), 0, metadata, flags, batch.tag())
        };
        if code != sys::grpc_call_error::GRPC_CALL_OK {
            return Err(Status::new(Code::Internal, format!("the C core does not start the RPC: {code:?}")));
        }
        queue.pluck(batch.tag());
        batch.reply()
    }

    pub fn state(&self, try_to_connect: bool) -> ConnectivityState {
        // SAFETY: the channel is valid.
        unsafe { sys::grpc_channel_check_connectivity_state(self.channel, try_to_connect.into()) }
    }

    /// Waits until the channel is not in `state` any more, and returns whether that happened within `timeout`.
    pub fn wait_for_state_change(&self, state: ConnectivityState, timeout: Duration) -> bool {
        let queue = Queue::new();
        let tag = ptr::from_ref(self).cast_mut().cast();
        // SAFETY: channel and queue are valid, and this waits until the watch has ended. The tag is only compared.
        unsafe {
            sys::grpc_channel_watch_connectivity_state(self.channel, state, timeout.into(), queue.0, tag);
        }
        queue.pluck(tag)
    }
}

impl Drop for CoreChannel {
    fn drop(&mut self) {
        if self.client.get().is_none() {
            // SAFETY: grpcio has not taken it over, and blocking RPCs, which borrow `self`, have ended.
            unsafe { sys::grpc_channel_destroy(self.channel) };
        }
    }
}

/// A blocking RPC, in the count of its channel.
struct InFlight<'a>(&'a AtomicUsize);

impl<'a> InFlight<'a> {
    /// Returns it, and the number of those before.
    fn new(count: &'a AtomicUsize) -> (InFlight<'a>, usize) {
        (InFlight(count), count.fetch_add(1, Ordering::Relaxed))
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Initialises the C core; it is never shut down, as in grpcio.
pub(super) fn init() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    // SAFETY: may be called at any time, by any thread.
    ONCE.call_once(|| unsafe { sys::grpc_init() });
}

/// Turns metadata into the C core's array, which owns its entries.
fn into_array(metadata: Metadata) -> sys::grpc_metadata_array {
    let (metadata, count, capacity) = metadata.into_raw_parts();
    sys::grpc_metadata_array { count, capacity, metadata }
}

/// A completion queue for the thread that made it.
struct Queue(*mut sys::grpc_completion_queue);

impl Queue {
    fn new() -> Queue {
        // SAFETY: the C core is initialised, since there is a channel; the argument is reserved.
        Queue(unsafe { sys::grpc_completion_queue_create_for_pluck(ptr::null_mut()) })
    }

    /// Polls the sockets until the operation with this tag has ended. Returns whether it succeeded.
    fn pluck(&self, tag: *mut c_void) -> bool {
        // SAFETY: the queue is valid, and one thread plucks.
        let event =
            unsafe { sys::grpc_completion_queue_pluck(self.0, tag, sys::gpr_timespec::inf_future(), ptr::null_mut()) };
        event.success != 0
    }

    /// Handles what the sockets have now, without waiting.
    fn poll(&self) {
        // SAFETY: as above. No operation has this tag.
        unsafe {
            let past = sys::gpr_inf_past(sys::gpr_clock_type::GPR_CLOCK_MONOTONIC);
            sys::grpc_completion_queue_pluck(self.0, ptr::null_mut(), past, ptr::null_mut());
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: it is valid and has no operation left. Destroying shuts it down.
        unsafe { sys::grpc_completion_queue_destroy(self.0) };
    }
}

/// An RPC.
struct Call(*mut sys::grpc_call);

impl Call {
    fn new(channel: &CoreChannel, queue: &Queue, path: &str, timeout: Option<Duration>) -> Call {
        let deadline = timeout.map_or_else(sys::gpr_timespec::inf_future, sys::gpr_timespec::from);
        // SAFETY: channel and queue are valid; the C core copies the path, and there is no parent and no host.
        Call(unsafe {
            let (path, length) = (path.as_ptr().cast(), path.len());
            let none = ptr::null_mut();
            sys::grpcwrap_channel_create_call(channel.channel, none, 0, queue.0, path, length, ptr::null(), 0, deadline)
        })
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // SAFETY: it is valid, and this is the only reference.
        unsafe { sys::grpc_call_unref(self.0) };
    }
}

/// The operations of an RPC, with what they send and receive.
struct Batch(*mut sys::grpcwrap_batch_context);

impl Batch {
    fn new() -> Batch {
        // SAFETY: no conditions.
        Batch(unsafe { sys::grpcwrap_batch_context_create() })
    }

    fn tag(&self) -> *mut c_void {
        self.0.cast()
    }

    /// Returns what an RPC that has ended received.
    fn reply(&self) -> Result<GrpcSlice, Status> {
        // SAFETY: the batch is valid and has ended, so that nobody else uses it. The message that is taken is destroyed
        // below, when its bytes have been copied. All zeros are a valid reader, which `init` then overwrites.
        unsafe {
            let code = sys::grpcwrap_batch_context_recv_status_on_client_status(self.0);
            if code != sys::grpc_status_code::GRPC_STATUS_OK {
                return Err(self.status(code));
            }
            let message = sys::grpcwrap_batch_context_take_recv_message(self.0);
            if message.is_null() {
                return Err(Status::new(Code::Internal, "the server answered OK without a message"));
            }
            let mut reply = GrpcSlice::default();
            let mut reader = std::mem::zeroed();
            if sys::grpc_byte_buffer_reader_init(&mut reader, message) != 0 {
                *reply.as_mut_ptr() = sys::grpc_byte_buffer_reader_readall(&mut reader);
                sys::grpc_byte_buffer_reader_destroy(&mut reader);
            }
            sys::grpc_byte_buffer_destroy(message);
            Ok(reply)
        }
    }

    /// Returns the status of an RPC that failed.
    fn status(&self, code: sys::grpc_status_code::Type) -> Status {
        // SAFETY: as in `reply`, which calls this. Text and metadata belong to the batch and are copied; the array is not
        // dropped here.
        let (message, details) = unsafe {
            let mut length = 0;
            let text = sys::grpcwrap_batch_context_recv_status_on_client_details(self.0, &mut length);
            let message = std::slice::from_raw_parts(text.cast(), length);
            let array = &*sys::grpcwrap_batch_context_recv_status_on_client_trailing_metadata(self.0);
            let trailers = Metadata::from_raw_parts(array.metadata, array.count, array.capacity);
            let trailers = ManuallyDrop::new(trailers);
            let details = trailers.iter().find(|(key, _)| *key == DETAILS).map(|(_, value)| value.to_vec());
            (String::from_utf8_lossy(message).into_owned(), details.unwrap_or_default())
        };
        Status::from(grpcio::Error::RpcFailure(RpcStatus::with_details(RpcStatusCode::from(code), message, details)))
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // SAFETY: it is valid, and its operations have ended or were never started.
        unsafe { sys::grpcwrap_batch_context_destroy(self.0) };
    }
}
