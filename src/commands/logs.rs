//! What services have written.

use super::find::Managed;
use super::{Event, Reporter};
use crate::error::{Error, Fault, exit};
use crate::host::process;
use crate::managers::{nssm, systemd};
use crate::model::log_part::LogPart;
use crate::model::manager::Manager;

impl Managed {
    /// Shows what they have written. Where `is_shown` to somebody, all of it goes by way of the reporter, because the
    /// bytes of a service may be commands for a terminal; otherwise the journal is handed over as it is. Gives the exit
    /// code.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn logs(&self, part: &LogPart, is_shown: bool, reporter: Reporter<'_>) -> Result<u8, Error> {
        match self.site.manager {
            Manager::Systemd(scope) => {
                let logs = systemd::logs_of(&self.names, scope, part)?;
                match is_shown {
                    true => process::stream(&logs, &mut |line| reporter(Event::Log(line))),
                    false => process::hand_over(&logs, &[], None),
                }
            }
            Manager::Nssm => self.log_files(part, reporter),
        }
    }

    /// The files that NSSM writes.
    fn log_files(&self, part: &LogPart, reporter: Reporter<'_>) -> Result<u8, Error> {
        let faults: Vec<Fault> = part.choices().map(|(option, value)| not_of_a_file(option).given(value)).collect();
        if !faults.is_empty() {
            return Err(Error::Refused(faults));
        }
        let lines = part.lines.map_or(usize::MAX, |lines| lines as usize);
        for name in &self.names {
            reporter(Event::LogOf(name));
            let end = nssm::log::tail(&self.output(name).unwrap_or_default(), lines)?;
            reporter(Event::Log(end.as_bytes()));
        }
        match self.names.as_slice() {
            [only] if part.follow => {
                let log = self.output(only).unwrap_or_default();
                nssm::log::follow(&log, &mut |text| reporter(Event::Log(text.as_bytes())))?;
            }
            _ if part.follow => reporter(Event::FollowsOne),
            _ => {}
        }
        Ok(exit::OK)
    }
}

/// Why an option says nothing of a file of plain lines.
fn not_of_a_file(option: &str) -> Fault {
    let option_name = format!("option `--{option}`");
    match option {
        "grep" => Fault::new(option_name, "only the journal of systemd is searched")
            .help("`ManageService NAME logs -n 100000 | findstr TEXT`"),
        _ => Fault::new(option_name, "NSSM writes no times into the log of a service")
            .help("`-n N` shows the last lines"),
    }
}
