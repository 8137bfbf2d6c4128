/* Replies that are ready together leave together.
 *
 * The C core writes to a connection as soon as an operation asks for it: one sendmsg for each reply, although one read
 * brought the calls. Here a thread of a completion queue collects, between two questions for the next event,
 * the server's connections that have something to write; when there is no event for it, they are written, each
 * at once. So a reply waits for the events that are there already, and for no more than kEvents of them.
 *
 * A thread that comes back late had a method that takes its time: what it collected is written before the next one
 * starts. Only what it collected just before such a method waits for it, as calls of the same thread do, and only
 * until another thread has something to write to the connection.
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
  // Whether this thread is between two questions, and the tick that it got its event in.
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

/* Begins the write of a transport, if it still waits, and gives back the reference that was taken for it. In its
 * combiner; see chttp2_transport.cc. */
static void BeginLocked(void* transport, grpc_error_handle);

static inline const void* ThisThread() { return &waiting; }

/* A clock that goes on every few milliseconds, and takes a few nanoseconds to read. */
static inline int64_t Tick() {
  timespec now;
#ifdef CLOCK_MONOTONIC_COARSE
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
  clock_gettime(CLOCK_MONOTONIC, &now);
#endif
  return int64_t{now.tv_sec} * 250 + now.tv_nsec / 4000000;
}

/* Has the write of a transport, which the caller takes a reference to, wait for this thread's next question. False: it
 * is to begin now. */
static inline bool Wait(grpc_core::Combiner* combiner, void* transport) {
  if (!waiting.collecting || waiting.count == kConnections) return false;
  waiting.writes[waiting.count++] = {combiner, transport};
  return true;
}

/* A thread asks its completion queue for the next event. */
class Asking {
 public:
  Asking() { waiting.collecting = false; }

  /* Whether what waits is to wait no longer. */
  bool Late() const { return waiting.count > 0 && (++waiting.events > kEvents || Tick() != waiting.answered); }

  /* There was an event: until the next question, writes wait. */
  void Answered() { answered_ = true; }

  /* Has all that waits written when the ExecCtx is flushed. Whether there was any. */
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
