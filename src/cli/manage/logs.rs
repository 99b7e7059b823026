//! What services have written.

use super::Managed;
use super::line::Options;
use crate::cli::{HEADING, note, print};
use crate::error::{Error, exit};
use crate::host::process;
use crate::managers::{nssm, systemd};
use crate::model::manager::Manager;

impl Managed {
    pub(super) fn logs(&self, options: &Options) -> Result<u8, Error> {
        let Options { lines, follow, .. } = *options;
        match &self.manager {
            Manager::Systemd(scope) => process::hand_over(&systemd::logs(&self.names, *scope, lines, follow), &[]),
            Manager::Nssm(_) => {
                for name in &self.names {
                    if self.several {
                        print(&format!("{HEADING}{name}{HEADING:#}\n"));
                    }
                    print(&nssm::tail(&self.output(name).unwrap_or_default(), lines as usize)?);
                }
                match self.names.as_slice() {
                    [only] if follow => nssm::follow(&self.output(only).unwrap_or_default(), &mut |text| print(text))?,
                    _ if follow => note("`--follow` follows one service"),
                    _ => {}
                }
                Ok(exit::OK)
            }
        }
    }
}
