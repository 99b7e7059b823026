//! The job that we and all that we start belong to: when we end, also if we are killed, the rest ends with us.

use std::sync::OnceLock;

use win32job::{ExtendedLimitInfo, Job, JobError};

static JOB: OnceLock<Option<Job>> = OnceLock::new();

fn job() -> Option<&'static Job> {
    JOB.get().and_then(Option::as_ref)
}

/// From now on no command outlives us, unless it asks Windows not to be of the job. One that is being started
/// while we are killed would otherwise wait for ever for its maker to let it run. Where Windows refuses a job,
/// what a killed run has started goes on.
pub fn end_with_us() {
    let job = || -> Result<_, JobError> {
        let mut limit = ExtendedLimitInfo::new();
        limit.limit_kill_on_job_close().limit_breakaway_ok();
        let job = Job::create_with_limit_info(&limit)?;
        job.assign_current_process()?;
        Ok(job)
    };
    JOB.get_or_init(|| job().ok());
}

/// What we have started may outlive us again.
pub fn let_go() {
    // Where that fails it ends with us, as it would have.
    drop(job().map(|job| job.set_extended_limit_info(&ExtendedLimitInfo::new())));
}

/// Whether nothing but we is left of the job.
pub fn is_alone() -> bool {
    job().and_then(|job| job.query_process_id_list().ok()).is_none_or(|processes| processes.len() <= 1)
}
