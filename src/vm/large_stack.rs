//! A thread with a large stack, for work that recurses in proportion to a source's nesting.
//!
//! The alternative, growing the stack in place, needs `unsafe`.

use crate::vm::panics::panic_text;

/// Native stack of the thread. To compile the deepest program that passes the shape check takes under 8 MiB in a debug
/// build; the rest is margin, and untouched pages cost nothing.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Does `work` on a thread of its own.
///
/// # Errors
/// When the work panicked, or the thread did not start.
pub(crate) fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("large stack".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(|error| format!("a thread with a large stack did not start: {error}"))?;
        thread.join().map_err(|panic| panic_text(panic.as_ref()))
    })
}
