//! How exactly the kernel wakes a thread that sleeps. Linux lets it be late by 50 µs, for the sake of its battery; the
//! latency of a call that is due meanwhile would have these in it.

use std::fs;
use std::path::Path;

/// Has the calling thread woken when it asked to be, where the system can do that. Where not, all goes on as it was.
pub fn sleep_exactly() {
    // PROCESS/task/THREAD
    let Ok(thread) = fs::read_link("/proc/thread-self") else { return };
    if let Some(thread) = thread.file_name() {
        // Threads have folders of their own there too, which are not listed.
        let _ = fs::write(Path::new("/proc").join(thread).join("timerslack_ns"), "1");
    }
}
