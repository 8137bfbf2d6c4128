/* Writes the replies of a connection that are ready together with one sendmsg.
 *
 * The C core starts a write as soon as an operation asks for it: one sendmsg per reply, although one read brought many
 * requests. With this file, a completion-queue thread collects the server's connections that have something to write
 * between two calls of grpc_completion_queue_next, and writes to each of them when the queue has no event ready. A
 * reply waits for the events that are ready already, and for at most kEvents of them.
 *
 * A slow method makes its thread return late to the queue: the thread then writes what it has collected before it takes
 * the next event. Only replies that were collected just before a slow method wait for it, as the RPCs of that thread
 * do, and only until another thread writes to the same connection.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <time.h>

#include <algorithm>

#include "src/core/lib/iomgr/closure.h"
#include "src/core/lib/iomgr/combiner.h"
#include "src/core/lib/iomgr/error.h"

namespace shared_writes {

constexpr size_t kConnections = 64;
constexpr size_t kEvents = 256;

struct Waiting {
  // Whether this thread handles an event, and the tick in which it got it.
  bool collecting = false;
  int64_t answered = 0;
  size_t events = 0;
  size_t count = 0;
  struct {
    grpc_core::Combiner* combiner;
    void* transport;
  } writes[kConnections];
};

static thread_local Waiting waiting;

/* Begins the write of a transport, if it still waits, and drops the reference that was taken for it. Runs in the
 * transport's combiner; defined in the patched chttp2_transport.cc. */
static void BeginLocked(void* transport, grpc_error_handle);

static inline const void* ThisThread() { return &waiting; }

/* A clock with a resolution of a few milliseconds that takes a few nanoseconds to read. */
static inline int64_t Tick() {
  timespec now;
#ifdef CLOCK_MONOTONIC_COARSE
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
  clock_gettime(CLOCK_MONOTONIC, &now);
#endif
  return int64_t{now.tv_sec} * 250 + now.tv_nsec / 4000000;
}

/* Delays the write of a transport until this thread asks for its next event; the caller takes a reference to the
 * transport. Returns false if the write has to begin now. */
static inline bool Wait(grpc_core::Combiner* combiner, void* transport) {
  if (!waiting.collecting || waiting.count == kConnections) return false;
  waiting.writes[waiting.count++] = {combiner, transport};
  return true;
}

/* One call of grpc_completion_queue_next. */
class Asking {
 public:
  Asking() { waiting.collecting = false; }

  /* Whether the collected writes must not wait for another event. */
  bool Late() const { return waiting.count > 0 && (++waiting.events > kEvents || Tick() != waiting.answered); }

  /* The call returns an event: writes are collected until the next call. */
  void Answered() { answered_ = true; }

  /* Schedules all collected writes, which run when the ExecCtx is flushed. Returns whether there were any. */
  bool Write() {
    if (waiting.count == 0) return false;
    for (size_t i = 0; i < waiting.count; i++) {
      auto& write = waiting.writes[i];
      write.combiner->Run(GRPC_CLOSURE_CREATE(BeginLocked, write.transport, nullptr), absl::OkStatus());
    }
    waiting.count = waiting.events = 0;
    return true;
  }

  ~Asking() {
    waiting.collecting = answered_;
    if (answered_) waiting.answered = Tick();
  }

 private:
  bool answered_ = false;
};

}  // namespace shared_writes
