/* Replies that are ready together leave together.
 *
 * The C core writes to a connection as soon as an operation asks for it: one sendmsg for each reply, although one read
 * brought the calls. Between two questions for the next event a thread of a completion queue collects the
 * server's connections that have something to write; when no event is there for it, they are written, each at
 * once. Nothing waits for more than the events that are there already, and for no more than kEvents of them.
 *
 * A thread that is stuck in a method holds back what it collected before, as it holds back the calls that are
 * waiting for it.
 */
#include <stddef.h>

#include "src/core/lib/iomgr/closure.h"
#include "src/core/lib/iomgr/combiner.h"
#include "src/core/lib/iomgr/error.h"

namespace shared_writes {

constexpr size_t kConnections = 64;
constexpr size_t kEvents = 256;

struct Waiting {
  // Whether this thread is between two questions.
  bool collecting = false;
  size_t events = 0;
  size_t count = 0;
  struct {
    grpc_core::Combiner* combiner;
    grpc_closure* write;
  } writes[kConnections];
};

static thread_local Waiting waiting;

/* Has the write wait for others. It keeps its transport alive by itself. False: it is to be run now. */
inline bool Wait(grpc_core::Combiner* combiner, grpc_closure* write) {
  if (!waiting.collecting || waiting.count == kConnections) return false;
  waiting.writes[waiting.count++] = {combiner, write};
  return true;
}

/* A thread asks its completion queue for the next event. */
class Asking {
 public:
  Asking() { waiting.collecting = false; }

  /* Whether what waits has waited long enough. */
  bool Late() const { return waiting.count > 0 && ++waiting.events > kEvents; }

  /* There was one: until the next question, writes wait. */
  void Answered() { answered_ = true; }

  /* Has all that waits written when the ExecCtx is flushed. Whether there was any. */
  bool Write() {
    if (waiting.count == 0) return false;
    for (size_t i = 0; i < waiting.count; i++) {
      waiting.writes[i].combiner->FinallyRun(waiting.writes[i].write, absl::OkStatus());
    }
    waiting.count = waiting.events = 0;
    return true;
  }

  ~Asking() { waiting.collecting = answered_; }

 private:
  bool answered_ = false;
};

}  // namespace shared_writes
