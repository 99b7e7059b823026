//! [`Event`]: what is told while a use case is at work.

use super::drift::Comparison;
use crate::executor::Progress;
use crate::host::python::Told;
use crate::managers::nssm::Supply;
use crate::model::name::ServiceName;
use crate::model::observed::OtherUnit;
use crate::model::site::Site;
use crate::model::spec::ServiceSpec;
use crate::model::status::Killed;
use crate::model::text::Text;

/// What happens while a use case is at work.
#[derive(Debug)]
pub enum Event<'a> {
    /// Something about a service that is worth saying though it is no fault.
    Note(&'a str),
    /// What an update is about to change.
    Changes(&'a Comparison),
    /// Of a module that is imported.
    Import(&'a str, Told<'a>),
    /// Of the console scripts of a Python environment, which are asked for their arguments.
    Discover(Told<'a>),
    /// A step of the plan.
    Progress(Progress<'a>),
    /// Somebody else could change what services run.
    Doubt(&'a str),
    /// A journal is there, and this call leaves it: a run is at work, or was ended half way.
    Unfinished {
        /// Whether the next run takes it back only if it has more rights than this one.
        needs_rights: bool,
    },
    /// The command is run again with administrator rights, to install these services.
    NeedsRights(&'a [ServiceSpec], &'a Site),
    /// Another run is at work.
    OthersAtWork,
    /// An earlier run was ended half way, and what it had begun is being taken back.
    TakesBackEarlier,
    /// Something of an earlier run was put back.
    PutBack(&'a str),
    /// An executable is put where services are to have it.
    Supply(Supply<'a>),
    /// The values in a file of secrets are not used.
    Lost {
        /// The file.
        path: &'a Text,
        /// Why not, to follow its path.
        reason: &'a str,
    },
    /// A unit that is not ours has the name of a service.
    OtherUnit(&'a ServiceName, &'a OtherUnit),
    /// A service was removed, and could be installed again as it was.
    WasRemoved(&'a ServiceName),
    /// A service did not end by itself when it was stopped.
    Killed(&'a Killed),
    /// What one of several services has written follows.
    LogOf(&'a ServiceName),
    /// What a service has written.
    Log(&'a [u8]),
    /// Logs of several services cannot be followed here.
    FollowsOne,
    /// `--remove_nssm` has no meaning here.
    NoNssmHere,
}

/// Who is told what happens.
pub type Reporter<'a> = &'a mut dyn FnMut(Event<'_>);
