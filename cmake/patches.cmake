# Patches bugs of the C core's server in copies of its sources.
#
# Each patch states the bug, the file of tests/ that shows it to a client, and its CVE if it has one; docs/performance.md
# has the CPU time that the others save. A source that does not match a patch stops the build: check then whether the
# bug is still there.

set(patched)
set(patched_folder "${CMAKE_BINARY_DIR}/patched")
# Copies of headers come before the originals.
include_directories(BEFORE "${patched_folder}")

# patch(FILE FROM TO): compiles a copy of FILE in which FROM, which occurs once, is replaced by TO.
function(patch file from to)
  set(copy "${patched_folder}/${file}")
  if("${copy}" IN_LIST patched)
    file(READ "${copy}" text)
  else()
    list(APPEND patched "${copy}")
    set(patched "${patched}" PARENT_SCOPE)
    file(READ "${CMAKE_CURRENT_SOURCE_DIR}/${file}" text)
    set_source_files_properties("${file}" PROPERTIES HEADER_FILE_ONLY ON)
  endif()
  string(FIND "${text}" "${from}" first)
  string(FIND "${text}" "${from}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "cmake/patches.cmake does not apply to this ${file}, which should have once:\n${from}")
  endif()
  string(REPLACE "${from}" "${to}" text "${text}")
  file(WRITE "${copy}" "${text}")
endfunction()

# What `grpcio_kit::core_version` asks for, and nothing else: stock cores say "galvanized".
patch(src/core/lib/surface/version.cc
[["galvanized"]]
[["grpcio-kit"]])

# An RPC that arrives while its server shuts down ends with CANCELLED, as if the client had cancelled it. UNAVAILABLE
# tells the client to retry. The line below is the only one in that file that drops an RPC. (drain.rs)
patch(src/core/lib/surface/server.cc
[[  grpc_call_unref(static_cast<grpc_call*>(call));
]]
[[  grpc_call_cancel_with_status(static_cast<grpc_call*>(call), GRPC_STATUS_UNAVAILABLE,
                               "the server is shutting down", nullptr);
  grpc_call_unref(static_cast<grpc_call*>(call));
]])

# After GOAWAY, a server closes a connection as soon as it has no RPC. The system resets a socket that is closed with
# unread input, or that gets input afterwards (a WINDOW_UPDATE is enough), and discards the replies and statuses that the
# client has not received. With the patch the client closes the connection; the server closes it five to ten
# seconds after the client has received everything. (drain.rs)
patch(src/core/ext/transport/chttp2/transport/internal.h
[[      next_bdp_ping_timer_handle;
]]
[[      next_bdp_ping_timer_handle;
  // On a server, after GOAWAY and the last RPC: runs until the client closes the connection.
  absl::optional<grpc_event_engine::experimental::EventEngine::TaskHandle>
      leaving_timer_handle;
]])
patch(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[static void remove_stream(grpc_chttp2_transport* t, uint32_t id,
                          grpc_error_handle error) {
]]
[[static void client_has_not_left_locked(void* arg, grpc_error_handle) {
  grpc_chttp2_transport* t = static_cast<grpc_chttp2_transport*>(arg);
  t->leaving_timer_handle.reset();
  int unsent = 0;
  const bool is_busy = t->write_state != GRPC_CHTTP2_WRITE_STATE_IDLE ||
                       (ioctl(grpc_endpoint_get_fd(t->ep), TIOCOUTQ, &unsent) == 0 && unsent > 0);
  if (t->closed_with_error.ok() && is_busy) {
    let_client_leave_locked(t);
  } else {
    close_transport_locked(t, GRPC_ERROR_CREATE("The client has not closed the connection after GOAWAY"));
  }
  GRPC_CHTTP2_UNREF_TRANSPORT(t, "client leaves");
}

static void let_client_leave_locked(grpc_chttp2_transport* t) {
  if (t->leaving_timer_handle.has_value()) return;
  GRPC_CHTTP2_REF_TRANSPORT(t, "client leaves");
  t->leaving_timer_handle = t->event_engine->RunAfter(grpc_core::Duration::Seconds(5), [t] {
    grpc_core::ApplicationCallbackExecCtx callback_exec_ctx;
    grpc_core::ExecCtx exec_ctx;
    t->combiner->Run(GRPC_CLOSURE_CREATE(client_has_not_left_locked, t, nullptr), absl::OkStatus());
  });
}

static void remove_stream(grpc_chttp2_transport* t, uint32_t id,
                          grpc_error_handle error) {
]])
patch(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[    if (t->sent_goaway_state == GRPC_CHTTP2_FINAL_GOAWAY_SENT) {
      close_transport_locked(
          t, GRPC_ERROR_CREATE_REFERENCING(]]
[[    if (!t->is_client && t->sent_goaway_state == GRPC_CHTTP2_FINAL_GOAWAY_SENT && t->closed_with_error.ok()) {
      let_client_leave_locked(t);
    } else if (t->sent_goaway_state == GRPC_CHTTP2_FINAL_GOAWAY_SENT) {
      close_transport_locked(
          t, GRPC_ERROR_CREATE_REFERENCING(]])
patch(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[      close_transport_locked(t, GRPC_ERROR_CREATE("goaway sent"));
]]
[[      if (t->is_client) {
        close_transport_locked(t, GRPC_ERROR_CREATE("goaway sent"));
      } else if (t->closed_with_error.ok()) {
        let_client_leave_locked(t);
      }
]])
patch(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[static void close_transport_locked(grpc_chttp2_transport* t,
                                   grpc_error_handle error);
]]
[[static void close_transport_locked(grpc_chttp2_transport* t,
                                   grpc_error_handle error);
static void let_client_leave_locked(grpc_chttp2_transport* t);
]])
patch(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[    if (t->next_bdp_ping_timer_handle.has_value()) {
]]
[[    if (t->leaving_timer_handle.has_value() && t->event_engine->Cancel(*t->leaving_timer_handle)) {
      GRPC_CHTTP2_UNREF_TRANSPORT(t, "client leaves");
      t->leaving_timer_handle.reset();
    }
    if (t->next_bdp_ping_timer_handle.has_value()) {
]])

# Every reply is written to its connection with a sendmsg of its own, although one read brought many requests.
# shared_writes.h writes them together.
patch(src/core/ext/transport/chttp2/transport/internal.h
[[  grpc_chttp2_write_state write_state = GRPC_CHTTP2_WRITE_STATE_IDLE;
]]
[[  grpc_chttp2_write_state write_state = GRPC_CHTTP2_WRITE_STATE_IDLE;
  // shared_writes::ThisThread() of the thread that a write waits for, until the write has begun.
  const void* write_waits_for = nullptr;
]])
patch(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[void grpc_chttp2_initiate_write(grpc_chttp2_transport* t,
                                grpc_chttp2_initiate_write_reason reason) {
  switch (t->write_state) {
]]
[[static bool wait_with_write_locked(grpc_chttp2_transport* t) {
  if (t->is_client || !shared_writes::Wait(t->combiner, t)) return false;
  GRPC_CHTTP2_REF_TRANSPORT(t, "write waits");
  t->write_waits_for = shared_writes::ThisThread();
  return true;
}

static void begin_waiting_write_locked(grpc_chttp2_transport* t) {
  if (t->write_waits_for == nullptr) return;
  t->write_waits_for = nullptr;
  t->combiner->FinallyRun(&t->write_action_begin_locked, absl::OkStatus());
}

void shared_writes::BeginLocked(void* transport, grpc_error_handle) {
  grpc_chttp2_transport* t = static_cast<grpc_chttp2_transport*>(transport);
  begin_waiting_write_locked(t);
  GRPC_CHTTP2_UNREF_TRANSPORT(t, "write waits");
}

void grpc_chttp2_initiate_write(grpc_chttp2_transport* t,
                                grpc_chttp2_initiate_write_reason reason) {
  // A write of one thread does not wait for another thread.
  if (t->write_waits_for != nullptr && t->write_waits_for != shared_writes::ThisThread() &&
      !wait_with_write_locked(t)) {
    begin_waiting_write_locked(t);
  }
  switch (t->write_state) {
]])
patch(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[      // 'write_action' (which is scheduled by 'write_action_begin_locked')
      t->combiner->FinallyRun(
          GRPC_CLOSURE_INIT(&t->write_action_begin_locked,
                            write_action_begin_locked, t, nullptr),
          absl::OkStatus());
      break;]]
[[      // 'write_action' (which is scheduled by 'write_action_begin_locked')
      GRPC_CLOSURE_INIT(&t->write_action_begin_locked,
                        write_action_begin_locked, t, nullptr);
      if (!wait_with_write_locked(t)) {
        t->combiner->FinallyRun(&t->write_action_begin_locked, absl::OkStatus());
      }
      break;]])
patch(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[      if (t->close_transport_on_writes_finished.ok()) {
]]
[[      begin_waiting_write_locked(t);
      if (t->close_transport_on_writes_finished.ok()) {
]])
patch(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[static void let_client_leave_locked(grpc_chttp2_transport* t);
]]
[[static void let_client_leave_locked(grpc_chttp2_transport* t);
static void begin_waiting_write_locked(grpc_chttp2_transport* t);
]])
patch(src/core/lib/surface/completion_queue.cc
[[  ExecCtxNext exec_ctx(&is_finished_arg);
]]
[[  shared_writes::Asking asking;
  ExecCtxNext exec_ctx(&is_finished_arg);
  if (asking.Late() && asking.Write()) exec_ctx.Flush();
]])
patch(src/core/lib/surface/completion_queue.cc
[[      grpc_cq_completion* c = is_finished_arg.stolen_completion;
      is_finished_arg.stolen_completion = nullptr;
]]
[[      grpc_cq_completion* c = is_finished_arg.stolen_completion;
      is_finished_arg.stolen_completion = nullptr;
      asking.Answered();
]])
patch(src/core/lib/surface/completion_queue.cc
[[      c->done(c->done_arg, c);
      break;
    } else {
]]
[[      c->done(c->done_arg, c);
      asking.Answered();
      break;
    } else if (asking.Write()) {
      exec_ctx.Flush();
      continue;
    } else {
]])

# Each RPC passes a filter for call tracers, although grpcio cannot set a tracer.
patch(src/core/lib/channel/server_call_tracer_filter.cc
[[        builder->AppendFilter(&ServerCallTracerFilter::kFilter);
]]
[[        if (ServerCallTracerFactory::Get(builder->channel_args()) != nullptr) {
          builder->AppendFilter(&ServerCallTracerFilter::kFilter);
        }
]])

# Each RPC passes the filter that compresses and decompresses, although channel arguments disable both. Without the
# filter, the HTTP filter has to send grpc-accept-encoding. (compression.rs)
patch(src/core/ext/filters/http/http_filters_plugin.cc
[[          if (!is_building_http_like_transport(builder)) return true;
]]
[[          if (!is_building_http_like_transport(builder)) return true;
          auto args = builder->channel_args();
          if (filter == &ServerCompressionFilter::kFilter &&
              !args.GetBool(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION).value_or(true) &&
              !args.GetBool(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION).value_or(true)) {
            return true;
          }
]])
patch(src/core/ext/filters/http/server/http_server_filter.cc
[[        md->Set(ContentTypeMetadata(), ContentTypeMetadata::kApplicationGrpc);
]]
[[        md->Set(ContentTypeMetadata(), ContentTypeMetadata::kApplicationGrpc);
        md->Set(GrpcAcceptEncodingMetadata(),
                CompressionAlgorithmSet{GRPC_COMPRESS_NONE, GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP});
]])

# CVE-2023-44487 (rapid reset): a stream that its client has reset no longer counts towards the connection's concurrent
# streams, although the server still works on it. A client that opens streams and resets them at once builds up a
# backlog without limit, and the RPCs of other clients wait behind it for seconds. The patch refuses new streams with
# REFUSED_STREAM, which clients may retry, while twice the concurrent streams, and at least 200, are alive. (limits.rs)
patch(src/core/ext/transport/chttp2/transport/internal.h
[[  grpc_chttp2_stream_map stream_map;
]]
[[  grpc_chttp2_stream_map stream_map;
  // Streams of a server that still have objects, reset ones included.
  size_t streams_alive = 0;
]])
patch(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[    *t->accepting_stream = this;
]]
[[    *t->accepting_stream = this;
    t->streams_alive++;
]])
patch(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[  GPR_ASSERT((write_closed && read_closed) || id == 0);
]]
[[  if (!t->is_client) t->streams_alive--;
  GPR_ASSERT((write_closed && read_closed) || id == 0);
]])
patch(src/core/ext/transport/chttp2/transport/parsing.cc
[[    t->last_new_stream_id = t->incoming_stream_id;
    s = t->incoming_stream =
]]
[[    t->last_new_stream_id = t->incoming_stream_id;
    const size_t concurrent = t->settings[GRPC_SENT_SETTINGS][GRPC_CHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS];
    if (t->streams_alive >= 2 * std::max<size_t>(concurrent, 100)) {
      grpc_chttp2_add_rst_stream_to_next_write(t, t->incoming_stream_id, GRPC_HTTP2_REFUSED_STREAM, nullptr);
      grpc_chttp2_initiate_write(t, GRPC_CHTTP2_INITIATE_WRITE_RST_STREAM);
      return init_header_skip_frame_parser(t, priority_type, is_eoh);
    }
    s = t->incoming_stream =
]])

# All copies are compiled in one translation unit, with a file that has little of its own.
set(place src/core/lib/surface/init_internally.cc)
list(INSERT patched 0 "${CMAKE_CURRENT_LIST_DIR}/shared_writes.h")
set_source_files_properties(${place} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON OBJECT_DEPENDS "${patched}")
list(FILTER patched EXCLUDE REGEX "/internal\\.h$")
set(options)
foreach(copy IN LISTS patched)
  list(APPEND options "-include;${copy}")
endforeach()
set_source_files_properties(${place} PROPERTIES COMPILE_OPTIONS "${options}")
