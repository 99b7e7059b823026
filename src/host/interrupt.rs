//! Ctrl-C and SIGTERM: noted when they come, acted on between two steps.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// From now on an interrupt is noted instead of ending the process at once.
///
/// Children on our terminal get Ctrl-C too and end; their step then fails and is undone.
pub fn listen() {
    // A second call finds the handler set already, which is what it wants.
    drop(ctrlc::set_handler(|| REQUESTED.store(true, Ordering::SeqCst)));
}

/// An error once an interrupt has come.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn check() -> Result<(), Error> {
    if REQUESTED.load(Ordering::SeqCst) { Err(Error::Interrupted) } else { Ok(()) }
}
