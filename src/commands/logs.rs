//! What services have written.

use super::find::Managed;
use super::{Event, Reporter};
use crate::error::{Error, exit};
use crate::host::process;
use crate::managers::{nssm, systemd};
use crate::model::manager::Manager;

/// Which part of the logs is shown.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// How many lines at the end.
    pub lines: u32,
    /// Whether to go on as new lines come.
    pub follow: bool,
}

impl Managed {
    /// Shows what they have written: the journal by itself, a log of NSSM by way of the reporter. Gives the exit
    /// code.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn logs(&self, Part { lines, follow }: Part, reporter: Reporter<'_>) -> Result<u8, Error> {
        match self.site.manager {
            Manager::Systemd(scope) => process::hand_over(&systemd::logs(&self.names, scope, lines, follow), &[], None),
            Manager::Nssm => {
                for name in &self.names {
                    reporter(Event::LogOf(name));
                    reporter(Event::Log(&nssm::log::tail(&self.output(name).unwrap_or_default(), lines as usize)?));
                }
                match self.names.as_slice() {
                    [only] if follow => {
                        let log = self.output(only).unwrap_or_default();
                        nssm::log::follow(&log, &mut |text| reporter(Event::Log(text)))?;
                    }
                    _ if follow => reporter(Event::FollowsOne),
                    _ => {}
                }
                Ok(exit::OK)
            }
        }
    }
}
