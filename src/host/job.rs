//! The job that we and all that we start belong to, unless it asks Windows not to.

use std::sync::OnceLock;

use win32job::{ExtendedLimitInfo, Job, JobError};

static JOB: OnceLock<Option<Job>> = OnceLock::new();

fn limit() -> ExtendedLimitInfo {
    let mut limit = ExtendedLimitInfo::new();
    limit.limit_breakaway_ok();
    limit
}

fn job() -> Option<&'static Job> {
    let made = || -> Result<_, JobError> {
        let job = Job::create_with_limit_info(&limit())?;
        job.assign_current_process()?;
        Ok(job)
    };
    JOB.get_or_init(|| made().ok()).as_ref()
}

/// From now on what we start is of our job. Where Windows refuses one, nothing is.
pub fn begin() {
    job();
}

/// From now on nothing of our job outlives us. A command that is being started while we are killed would
/// otherwise wait for ever for its maker to let it run. Where Windows refuses that, it goes on.
pub fn end_with_us() {
    let mut limit = limit();
    drop(job().map(|job| job.set_extended_limit_info(limit.limit_kill_on_job_close())));
}

/// Whether nothing but we is left of the job.
pub fn is_alone() -> bool {
    job().and_then(|job| job.query_process_id_list().ok()).is_none_or(|processes| processes.len() <= 1)
}

/// The job of one command and of all that it starts, which end with this.
#[derive(Debug)]
pub struct Own(Option<Job>);

impl Own {
    /// A job that nothing is in. Where Windows refuses one, nothing ever is.
    pub fn new() -> Self {
        let mut limit = ExtendedLimitInfo::new();
        limit.limit_kill_on_job_close();
        Self(Job::create_with_limit_info(&limit).ok())
    }

    /// Takes in a command that has just been started.
    pub fn take(&self, child: &std::process::Child) {
        use std::os::windows::io::AsRawHandle;
        let handle = child.as_raw_handle() as isize;
        drop(self.0.as_ref().map(|job| job.assign_process(handle)));
    }

    /// The numbers of the processes in it.
    pub fn processes(&self) -> Vec<usize> {
        self.0.as_ref().and_then(|job| job.query_process_id_list().ok()).unwrap_or_default()
    }
}
