//! What services have written.

use super::find::Managed;
use super::{Event, Reporter};
use crate::error::{Error, Fault, exit};
use crate::host::process;
use crate::managers::{self, log_file, systemd};
use crate::model::log_part::LogPart;
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::text::Text;

impl Managed {
    /// Shows what they have written. Where `is_shown` to somebody, all of it goes by way of the reporter, because the
    /// bytes of a service may be commands for a terminal; otherwise the journal is handed over as it is. Gives the exit
    /// code.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn logs(&self, part: &LogPart, is_shown: bool, reporter: Reporter<'_>) -> Result<u8, Error> {
        let (files, others): (Vec<_>, Vec<_>) =
            self.names.iter().map(|name| (name, self.output(name))).partition(|(_, output)| output.is_some());
        let files: Vec<(&ServiceName, Text)> = files.into_iter().filter_map(|(name, log)| Some((name, log?))).collect();
        let others: Vec<ServiceName> = others.into_iter().map(|(name, _)| name.clone()).collect();
        let follows = part.follow && (files.is_empty() || self.names.len() == 1);
        if !files.is_empty() {
            self.log_files(&files, part, reporter)?;
        }
        match self.site.manager {
            Manager::Systemd(scope) if !others.is_empty() => {
                let logs = systemd::logs_of(&others, scope, &LogPart { follow: follows, ..part.clone() })?;
                match is_shown {
                    true => process::stream(&logs, &mut |line| reporter(Event::Log(line))),
                    false => process::hand_over(&logs, &[], None),
                }
            }
            Manager::Systemd(_) | Manager::Nssm => Ok(exit::OK),
        }
    }

    /// Whether the caller may read what they have written.
    pub fn may_read_logs(&self) -> bool {
        self.names.iter().all(|name| match self.output(name) {
            Some(log) => log_file::is_open(&log),
            None => managers::may_read_logs(self.site.manager),
        })
    }

    /// The files that services write to.
    fn log_files(&self, logs: &[(&ServiceName, Text)], part: &LogPart, reporter: Reporter<'_>) -> Result<(), Error> {
        let not_of = |log: &Text| {
            let faults = part.choices().map(|(option, value)| self.not_of_a_file(option, log).given(value));
            faults.collect::<Vec<Fault>>()
        };
        let faults = logs.first().map(|(_, log)| not_of(log)).unwrap_or_default();
        if !faults.is_empty() {
            return Err(Error::Refused(faults));
        }
        let lines = part.lines.map_or(usize::MAX, |lines| lines as usize);
        for (name, log) in logs {
            reporter(Event::LogOf(name));
            reporter(Event::Log(log_file::tail(log, lines)?.as_bytes()));
        }
        match logs {
            [(_, log)] if part.follow && self.names.len() == 1 => {
                log_file::follow(log, &mut |text| reporter(Event::Log(text.as_bytes())))?;
            }
            _ if part.follow => reporter(Event::FollowsOne),
            _ => {}
        }
        Ok(())
    }

    /// Why an option says nothing of a file of plain lines.
    fn not_of_a_file(&self, option: &str, log: &Text) -> Fault {
        let option_name = format!("option `--{option}`");
        let platform = self.site.target().platform();
        match (option, self.site.manager) {
            ("grep", Manager::Systemd(_)) => {
                Fault::new(option_name, "only the journal is searched, and it writes to a file")
                    .help(format!("`{}`", platform.typed(&["grep".into(), "TEXT".into(), log.clone()])))
            }
            ("grep", Manager::Nssm) => Fault::new(option_name, "only the journal of systemd is searched")
                .help("`ManageService NAME logs -n 100000 | findstr TEXT`"),
            (_, Manager::Systemd(_)) => {
                Fault::new(option_name, "it writes to a file, where no times stand").help("`-n N` shows the last lines")
            }
            (_, Manager::Nssm) => Fault::new(option_name, "NSSM writes no times into the log of a service")
                .help("`-n N` shows the last lines"),
        }
    }
}
