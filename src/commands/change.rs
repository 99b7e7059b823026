//! The right to change the host, and what an earlier run left half done.

use super::{Event, Reporter};
use crate::error::Error;
use crate::executor::journal::{self, Undone};
use crate::host::state::{self, Lock};
use crate::host::{interrupt, site};
use crate::model::name::ServiceName;
use crate::model::place::Place;
use crate::model::spec::Scope;

/// The right to change the host.
#[derive(Debug)]
pub struct Change {
    /// The lock of the working directory.
    pub lock: Lock,
    /// What an earlier run had begun was taken back first.
    pub recovered: bool,
}

impl Change {
    /// Ready to change `names` on the host: an interrupt is noted from here on, nobody else is at work, and what
    /// an earlier run left unfinished is taken back.
    ///
    /// # Errors
    /// When another run holds the lock, or an unfinished plan cannot be taken back.
    pub fn begin(names: &[ServiceName], place: &Place, reporter: Reporter<'_>) -> Result<Self, Error> {
        interrupt::listen();
        Self::with(state::lock(place)?, names, place, reporter)
    }

    /// The same where nobody else is at work; nobody is waited for.
    ///
    /// # Errors
    /// When an unfinished plan cannot be taken back.
    pub fn begin_if_free(names: &[ServiceName], place: &Place, reporter: Reporter<'_>) -> Result<Option<Self>, Error> {
        interrupt::listen();
        state::lock_if_free(place)?.map(|lock| Self::with(lock, names, place, reporter)).transpose()
    }

    fn with(lock: Lock, names: &[ServiceName], place: &Place, reporter: Reporter<'_>) -> Result<Self, Error> {
        if let Some(doubt) = state::doubt(&lock.state) {
            reporter(Event::Doubt(&doubt));
        }
        let recovered = take_back(place, &lock, reporter)?;
        journal::clear_leftovers(place, names);
        Ok(Self { lock, recovered })
    }
}

/// Before a look at the host: takes back what an earlier run left unfinished, if nobody is at work.
///
/// # Errors
/// When it cannot be taken back.
pub fn begin_look(place: &Place, scope: Scope, reporter: Reporter<'_>) -> Result<(), Error> {
    if !journal::has_remains(place) {
        return Ok(());
    }
    if !site::may_change(scope) {
        if journal::is_there(place) {
            reporter(Event::Unfinished { needs_rights: true });
        }
        return Ok(());
    }
    interrupt::listen();
    match state::lock_to_look(place)? {
        Some(lock) => take_back(place, &lock, reporter).map(drop),
        None => {
            reporter(Event::OthersAtWork);
            Ok(())
        }
    }
}

/// Takes back what an earlier run left unfinished; says whether there was anything.
fn take_back(place: &Place, lock: &Lock, reporter: Reporter<'_>) -> Result<bool, Error> {
    let Some(Undone { restored, left }) = journal::recover(place, &lock.state)? else { return Ok(false) };
    reporter(Event::TakesBackEarlier);
    if !left.is_empty() {
        return Err(Error::Unfinished { restored, left });
    }
    restored.iter().for_each(|line| reporter(Event::PutBack(line)));
    Ok(true)
}
