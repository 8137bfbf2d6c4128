// Tells ThreadSanitizer what Rust's standard library synchronizes.
//
// rustup's standard library is compiled without -Zsanitizer. What is inlined into other crates is instrumented: a lock that is
// free, an unlock, an initialized Once. The functions below are not, so that ThreadSanitizer would report what they order as
// data races. script/sanitize defines each macro as the symbol's name, and links with --wrap.

#include <stdbool.h>
#include <stdint.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

// Arc::drop and the like: a decrement with memory order release, and after the last one a fence, of which ThreadSanitizer
// knows nothing. An instrumented standard library has an acquire there as well.
uint64_t __real___tsan_atomic64_fetch_sub(volatile uint64_t *number, uint64_t subtrahend, int order);
uint64_t __wrap___tsan_atomic64_fetch_sub(volatile uint64_t *number, uint64_t subtrahend, int order) {
    return __real___tsan_atomic64_fetch_sub(number, subtrahend, order == __ATOMIC_RELEASE ? __ATOMIC_ACQ_REL : order);
}

#define JOINED(a, b) a##b
#define JOIN(a, b) JOINED(a, b)
#define REAL(name) JOIN(__real_, name)
#define WRAP(name) JOIN(__wrap_, name)

// Mutex::lock, RwLock::read and RwLock::write, if they have to wait.
#define CONTENDED(name)           \
    void REAL(name)(void *lock);  \
    void WRAP(name)(void *lock) { \
        REAL(name)(lock);         \
        __tsan_acquire(lock);     \
    }
CONTENDED(lock_contended)
CONTENDED(read_contended)
CONTENDED(write_contended)

// Condvar::wait and Condvar::wait_timeout unlock the mutex and lock it again.
void REAL(condvar_wait)(void *condvar, void *mutex);
void WRAP(condvar_wait)(void *condvar, void *mutex) {
    __tsan_release(mutex);
    REAL(condvar_wait)(condvar, mutex);
    __tsan_acquire(mutex);
}

bool REAL(condvar_wait_timeout)(void *condvar, void *mutex, uint64_t seconds, uint32_t nanoseconds);
bool WRAP(condvar_wait_timeout)(void *condvar, void *mutex, uint64_t seconds, uint32_t nanoseconds) {
    __tsan_release(mutex);
    bool in_time = REAL(condvar_wait_timeout)(condvar, mutex, seconds, nanoseconds);
    __tsan_acquire(mutex);
    return in_time;
}

// A closure, as `&mut dyn FnMut(&OnceState)` passes it: its vtable has drop, size, align, call_once, call_mut.
typedef void call(void *closure, const void *state);
struct vtable {
    void (*drop)(void *);
    uintptr_t size, align;
    call *call_once, *call_mut;
};
struct closure {
    void *data;
    const struct vtable *vtable;
    void *once;
};

static void initialize(void *data, const void *state) {
    struct closure *closure = data;
    closure->vtable->call_mut(closure->data, state);
    __tsan_release(closure->once);
}

// OnceLock, LazyLock and Once, at their first use.
void REAL(once_call)(void *once, bool ignore_poisoning, void *data, const struct vtable *vtable);
void WRAP(once_call)(void *once, bool ignore_poisoning, void *data, const struct vtable *vtable) {
    static const struct vtable wrapper = {0, sizeof(struct closure), _Alignof(struct closure), initialize, initialize};
    struct closure closure = {data, vtable, once};
    REAL(once_call)(once, ignore_poisoning, &closure, &wrapper);
    __tsan_acquire(once);
}

// The end of a thread of std::thread::scope.
void REAL(scope_decrement)(void *scope, bool panicked);
void WRAP(scope_decrement)(void *scope, bool panicked) {
    // The place of the counter among the three fields.
    for (int field = 0; field < 3; field++) __tsan_release((void **)scope + field);
    REAL(scope_decrement)(scope, panicked);
}
