/* Included before the C core's server.cc.
 *
 * A call that arrives while its server shuts down is dropped there, and the caller is told CANCELLED: as if it
 * had wanted that itself. UNAVAILABLE is what it is, and what clients retry. The one place in that file
 * that lets go of a call is where it is dropped.
 */
#include <grpc/grpc.h>

static inline void refuse_and_unref(grpc_call* call) {
  grpc_call_cancel_with_status(call, GRPC_STATUS_UNAVAILABLE, "the server is shutting down", nullptr);
  grpc_call_unref(call);
}

#define grpc_call_unref refuse_and_unref
