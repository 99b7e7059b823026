//! A newer `nssm.exe` under the services that run by it.

use super::change::Change;
use super::find::Where;
use super::{Event, Reporter};
use crate::error::{Error, Fault};
use crate::executor;
use crate::host::{site, state, sudo};
use crate::managers::nssm::{self, Wishes};
use crate::managers::{self, Purpose};
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::spec::{Scope, Target};
use crate::plan;

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// The wanted one was there.
    Unchanged,
    /// It is there now, and these services were stopped for it and started again.
    Done(Vec<ServiceName>),
    /// The command was run again with administrator rights, and ended with this exit code.
    RunAgain(u8),
}

/// Puts a newer `nssm.exe`, or the one that is named, in the place of the one that services have. What runs by it is
/// stopped, and started again, only where `may_stop` says so; all of it is one plan, which is done or taken back.
///
/// # Errors
/// When none is to be had, when services run that may not be stopped, or when it cannot be done; then all is as it was.
pub fn nssm(wishes: &Wishes, may_stop: bool, place: &Where, reporter: Reporter<'_>) -> Result<Upgrade, Error> {
    let site = site::here(Target::Nssm, Scope::System, place.state_dir.as_ref());
    managers::need(Manager::Nssm, Purpose::Manage)?;
    if !site::may_change(Scope::System) {
        return sudo::run_again(sudo::Typed::without_secrets(), &[], Vec::new(), &mut || {}).map(Upgrade::RunAgain);
    }
    let change = Change::begin(&[], &site.place, reporter)?;
    let Some(files) =
        nssm::replacement(wishes, &site.place, &mut |supply: nssm::Supply<'_>| reporter(Event::Supply(supply)))?
    else {
        return Ok(Upgrade::Unchanged);
    };
    let (names, others): (Vec<_>, Vec<_>) = nssm::users(&site.place)
        .into_iter()
        .map(|name| name.parse::<ServiceName>().map_err(|_| name))
        .partition(Result::is_ok);
    let names: Vec<ServiceName> = names.into_iter().filter_map(Result::ok).collect();
    // What has a name that none of ours can have, we do not stop.
    if let Some(Err(name)) = others.first() {
        let reason = "it runs by this nssm.exe, and has a name that InstallService gives to no service";
        return Err(Error::refused(Fault::new(format!("service `{name}`"), reason)));
    }
    let status = managers::status(&site, &names)?;
    let running: Vec<ServiceName> =
        names.into_iter().zip(status).filter(|(_, status)| status.is_active()).map(|(name, _)| name).collect();
    if !running.is_empty() && !may_stop {
        let services = running.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let reason = format!("{services} run by the nssm.exe that is to be replaced");
        let help = "`ManageService --upgrade-nssm --yes` stops what runs, and starts it again";
        return Err(Error::refused(Fault::new("option `--upgrade-nssm`", reason).help(help)));
    }
    let plan = plan::upgrade_nssm(&files, &running);
    let result = executor::apply(&plan, &site, &change.lock, &mut |progress| reporter(Event::Progress(progress)));
    state::log(&site.place, "upgrade nssm.exe", result.as_ref().map(|()| "done"));
    result.map(|()| Upgrade::Done(running))
}
