//! A command in a job of its own: with the job ends all that is in it.

use std::process::Command;
use std::time::Duration;

use super::{Kept, Long, Task};
use crate::error::Error;
use crate::host::job::Own;
use crate::host::process::{self, Manner};
use crate::host::text::os;
use crate::model::text::Text;

/// Runs `task` for at most `limit`. When it takes `long`, something is done.
///
/// # Errors
/// When it cannot be started; [`Error::Interrupted`] when it was ended by an interrupt.
pub fn run(task: &Task, limit: Duration, long: Long<'_>) -> Result<Kept, Error> {
    let mut command = Command::new(os(task.argv.0.first().unwrap_or(&Text::default())));
    command.args(task.argv.0.iter().skip(1).map(os)).current_dir(os(&task.directory)).env_clear();
    command.envs(task.environment.iter().map(|(name, value)| (os(name), os(value))));
    let job = Own::new();
    // Borrowed for as long as the job, not longer.
    let long: Long<'_> = long.map(|(after, tell)| (after, &mut *tell as &mut dyn FnMut()));
    let outcome =
        process::run_for(command, &task.argv, &[], Manner { limit, long, job: Some(&job), ..Manner::default() })?;
    let left = job.processes().into_iter().map(|number| Text::from(format!("process {number}"))).collect();
    Ok(Kept { outcome, left, stays: Vec::new() })
}
