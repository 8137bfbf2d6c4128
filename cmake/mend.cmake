# What the C core does to a server's calls that it should not, mended in copies of its sources.
#
# Each mend says what is wrong; where a caller can see that, which file of tests/ shows it, and where it takes time,
# docs/performance.md has how much. A source that is not what a mend expects stops the build: then see whether the fault
# is still there.

set(mended)
set(mended_folder "${CMAKE_BINARY_DIR}/mended")
# Where headers are looked for first.
include_directories(BEFORE "${mended_folder}")

# mend(FILE FROM TO): FROM is in FILE once; the copy that is compiled has TO instead.
function(mend file from to)
  set(copy "${mended_folder}/${file}")
  if("${copy}" IN_LIST mended)
    file(READ "${copy}" text)
  else()
    list(APPEND mended "${copy}")
    set(mended "${mended}" PARENT_SCOPE)
    file(READ "${CMAKE_CURRENT_SOURCE_DIR}/${file}" text)
    set_source_files_properties("${file}" PROPERTIES HEADER_FILE_ONLY ON)
  endif()
  string(FIND "${text}" "${from}" first)
  string(FIND "${text}" "${from}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "cmake/mend.cmake does not know this ${file}: it should have, once:\n${from}")
  endif()
  string(REPLACE "${from}" "${to}" text "${text}")
  file(WRITE "${copy}" "${text}")
endfunction()

# A call that arrives while its server shuts down is dropped, and its caller is told CANCELLED, as if it had wanted that
# itself. UNAVAILABLE is what it is, and what clients retry. This is the one place there that lets go of a
# call. (drain.rs)
mend(src/core/lib/surface/server.cc
[[  grpc_call_unref(static_cast<grpc_call*>(call));
]]
[[  grpc_call_cancel_with_status(static_cast<grpc_call*>(call), GRPC_STATUS_UNAVAILABLE,
                               "the server is shutting down", nullptr);
  grpc_call_unref(static_cast<grpc_call*>(call));
]])

# After a GOAWAY, a server's connection is closed as soon as it has no call. A socket that is closed with unread input,
# or gets some afterwards (a WINDOW_UPDATE is enough), is reset, and what the client has not received yet is
# discarded: replies, and the status. The client closes the connection when it has all of that. One that does not
# loses it, five to ten seconds after it has received everything. (drain.rs)
mend(src/core/ext/transport/chttp2/transport/internal.h
[[      next_bdp_ping_timer_handle;
]]
[[      next_bdp_ping_timer_handle;
  // Runs while the client of a server's connection without a call is to close it.
  absl::optional<grpc_event_engine::experimental::EventEngine::TaskHandle>
      leaving_timer_handle;
]])
mend(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
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
mend(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[    if (t->sent_goaway_state == GRPC_CHTTP2_FINAL_GOAWAY_SENT) {
      close_transport_locked(
          t, GRPC_ERROR_CREATE_REFERENCING(]]
[[    if (!t->is_client && t->sent_goaway_state == GRPC_CHTTP2_FINAL_GOAWAY_SENT && t->closed_with_error.ok()) {
      let_client_leave_locked(t);
    } else if (t->sent_goaway_state == GRPC_CHTTP2_FINAL_GOAWAY_SENT) {
      close_transport_locked(
          t, GRPC_ERROR_CREATE_REFERENCING(]])
mend(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[      close_transport_locked(t, GRPC_ERROR_CREATE("goaway sent"));
]]
[[      if (t->is_client) {
        close_transport_locked(t, GRPC_ERROR_CREATE("goaway sent"));
      } else if (t->closed_with_error.ok()) {
        let_client_leave_locked(t);
      }
]])
mend(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[static void close_transport_locked(grpc_chttp2_transport* t,
                                   grpc_error_handle error);
]]
[[static void close_transport_locked(grpc_chttp2_transport* t,
                                   grpc_error_handle error);
static void let_client_leave_locked(grpc_chttp2_transport* t);
]])
mend(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[    if (t->next_bdp_ping_timer_handle.has_value()) {
]]
[[    if (t->leaving_timer_handle.has_value() && t->event_engine->Cancel(*t->leaving_timer_handle)) {
      GRPC_CHTTP2_UNREF_TRANSPORT(t, "client leaves");
      t->leaving_timer_handle.reset();
    }
    if (t->next_bdp_ping_timer_handle.has_value()) {
]])

# Every reply of a call is written to its connection by itself, although the calls were read together.
# shared_writes.h says how they leave together.
mend(src/core/ext/transport/chttp2/transport/internal.h
[[  grpc_chttp2_write_state write_state = GRPC_CHTTP2_WRITE_STATE_IDLE;
]]
[[  grpc_chttp2_write_state write_state = GRPC_CHTTP2_WRITE_STATE_IDLE;
  // The thread that a write waits for, until it has begun: what shared_writes::ThisThread() is there.
  const void* write_waits_for = nullptr;
]])
mend(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
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
  // Nobody else's write waits for what a thread is doing.
  if (t->write_waits_for != nullptr && t->write_waits_for != shared_writes::ThisThread() &&
      !wait_with_write_locked(t)) {
    begin_waiting_write_locked(t);
  }
  switch (t->write_state) {
]])
mend(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
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
mend(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[      if (t->close_transport_on_writes_finished.ok()) {
]]
[[      begin_waiting_write_locked(t);
      if (t->close_transport_on_writes_finished.ok()) {
]])
mend(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[static void let_client_leave_locked(grpc_chttp2_transport* t);
]]
[[static void let_client_leave_locked(grpc_chttp2_transport* t);
static void begin_waiting_write_locked(grpc_chttp2_transport* t);
]])
mend(src/core/lib/surface/completion_queue.cc
[[  ExecCtxNext exec_ctx(&is_finished_arg);
]]
[[  shared_writes::Asking asking;
  ExecCtxNext exec_ctx(&is_finished_arg);
  if (asking.Late() && asking.Write()) exec_ctx.Flush();
]])
mend(src/core/lib/surface/completion_queue.cc
[[      grpc_cq_completion* c = is_finished_arg.stolen_completion;
      is_finished_arg.stolen_completion = nullptr;
]]
[[      grpc_cq_completion* c = is_finished_arg.stolen_completion;
      is_finished_arg.stolen_completion = nullptr;
      asking.Answered();
]])
mend(src/core/lib/surface/completion_queue.cc
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

# Each call goes through a filter for tracers of calls, although nothing here can set one.
mend(src/core/lib/channel/server_call_tracer_filter.cc
[[        builder->AppendFilter(&ServerCallTracerFilter::kFilter);
]]
[[        if (ServerCallTracerFactory::Get(builder->channel_args()) != nullptr) {
          builder->AppendFilter(&ServerCallTracerFilter::kFilter);
        }
]])

# ... and through one that compresses and decompresses, although it was told to do neither (compression.rs). What it
# does in any case is to tell callers which algorithms there are.
mend(src/core/ext/filters/http/http_filters_plugin.cc
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
mend(src/core/ext/filters/http/server/http_server_filter.cc
[[        md->Set(ContentTypeMetadata(), ContentTypeMetadata::kApplicationGrpc);
]]
[[        md->Set(ContentTypeMetadata(), ContentTypeMetadata::kApplicationGrpc);
        md->Set(GrpcAcceptEncodingMetadata(),
                CompressionAlgorithmSet{GRPC_COMPRESS_NONE, GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP});
]])

# A call that its client has reset is no longer among the concurrent streams of its connection, however much of it
# there is still to be done: a client that opens calls and resets them at once (CVE-2023-44487) had a backlog as long
# as it liked, and the calls of others stood behind it for seconds. Calls that come while twice as many as may be
# concurrent are alive, and 200 at least, are refused, which clients may retry. (limits.rs)
mend(src/core/ext/transport/chttp2/transport/internal.h
[[  grpc_chttp2_stream_map stream_map;
]]
[[  grpc_chttp2_stream_map stream_map;
  // Streams of a server that there are still objects of, those that have been reset among them.
  size_t streams_alive = 0;
]])
mend(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[    *t->accepting_stream = this;
]]
[[    *t->accepting_stream = this;
    t->streams_alive++;
]])
mend(src/core/ext/transport/chttp2/transport/chttp2_transport.cc
[[  GPR_ASSERT((write_closed && read_closed) || id == 0);
]]
[[  if (!t->is_client) t->streams_alive--;
  GPR_ASSERT((write_closed && read_closed) || id == 0);
]])
mend(src/core/ext/transport/chttp2/transport/parsing.cc
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

# All copies of sources are compiled together, with a file that has next to nothing in it.
set(place src/core/lib/surface/init_internally.cc)
list(INSERT mended 0 "${CMAKE_CURRENT_LIST_DIR}/shared_writes.h")
set_source_files_properties(${place} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON OBJECT_DEPENDS "${mended}")
list(FILTER mended EXCLUDE REGEX "/internal\\.h$")
set(options)
foreach(copy IN LISTS mended)
  list(APPEND options "-include;${copy}")
endforeach()
set_source_files_properties(${place} PROPERTIES COMPILE_OPTIONS "${options}")
