//! Ctrl-C and SIGTERM: noted when they come, and acted on at the next look.
//!
//! Whatever waits looks every few milliseconds: for a command ([`super::process`]), for another run, for a service.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::Error;

static HEARD: AtomicBool = AtomicBool::new(false);
static REQUESTED: AtomicBool = AtomicBool::new(false);
static UNDISTURBED: AtomicUsize = AtomicUsize::new(0);

/// From now on an interrupt is noted instead of ending the process at once.
pub fn listen() {
    // A second call finds the handler set already, which is what it wants.
    drop(ctrlc::set_handler(|| REQUESTED.store(true, Ordering::SeqCst)));
    HEARD.store(true, Ordering::SeqCst);
}

/// Whether interrupts are noted. Then it is for us to end the command that runs, and not for the terminal.
pub fn is_heard() -> bool {
    HEARD.load(Ordering::SeqCst)
}

/// Whether an interrupt has come, and nothing keeps it waiting.
pub fn has_come() -> bool {
    REQUESTED.load(Ordering::SeqCst) && UNDISTURBED.load(Ordering::SeqCst) == 0
}

/// An error once an interrupt has come.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn check() -> Result<(), Error> {
    if has_come() { Err(Error::Interrupted) } else { Ok(()) }
}

/// As long as this lives, interrupts wait.
#[derive(Debug)]
pub struct Undisturbed(());

/// What follows is not interrupted: it takes back what an interrupt has ended half way.
pub fn undisturbed() -> Undisturbed {
    UNDISTURBED.fetch_add(1, Ordering::SeqCst);
    Undisturbed(())
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        UNDISTURBED.fetch_sub(1, Ordering::SeqCst);
    }
}
