//! Directives that systemd does not take together: it loads no unit that has them both, or leaves one of them out
//! (`service_verify` in `src/core/service.c`, `unit_load` in `src/core/unit.c`).

use super::check::Check;
use crate::error::Fault;
use crate::manifest::Request;
use crate::model::facts::Facts;
use crate::model::span::Span;
use crate::model::spec::Restart;
use crate::model::systemd_table::{Directive, is_oneshot};
use crate::model::systemd_version::SystemdVersion;

/// Since when a service of `Type=oneshot` can be started again at all (NEWS of systemd 244).
const ONESHOT_RESTARTS: u32 = 244;
/// Since when it takes `RestartForceExitStatus=` (`service_verify` of 255 refuses it, that of 256 does not).
const ONESHOT_FORCED_RESTARTS: u32 = 256;

impl<F: Facts> Check<'_, F> {
    /// Refuses a restart of what ends when it is done, where the version has none.
    pub(super) fn restart_of_oneshot(
        &mut self,
        directives: &[Directive],
        is_job: bool,
        restart: Restart,
        version: SystemdVersion,
    ) {
        if is_oneshot(directives, is_job) && restart != Restart::Never && !version.has(ONESHOT_RESTARTS) {
            let reason = format!(
                "systemd {version} cannot restart a service of `Type=oneshot`; {ONESHOT_RESTARTS} and later can"
            );
            self.fault(Fault::new("option `--restart`", reason).help("`--restart never` starts it once"));
        }
    }
}

/// One that has no effect without another, and a value of that as an example.
const NEEDS: [(&str, &str, &str); 5] = [
    ("RestartMaxDelaySec", "RestartSteps", "5"),
    ("RestartSteps", "RestartMaxDelaySec", "5min"),
    ("RuntimeRandomizedExtraSec", "RuntimeMaxSec", "1h"),
    ("USBFunctionDescriptors", "USBFunctionStrings", "/path"),
    ("USBFunctionStrings", "USBFunctionDescriptors", "/path"),
];

/// The version of systemd that takes them together, as far as one does that others do not.
pub(super) fn since(directives: &[Directive], is_job: bool) -> u32 {
    let forced = directives.iter().rev().find(|directive| directive.name() == "RestartForceExitStatus");
    let is_forced = forced.is_some_and(|directive| !directive.value().is_empty());
    if is_forced && is_oneshot(directives, is_job) { ONESHOT_FORCED_RESTARTS } else { 0 }
}

/// What is at fault in them, in a unit that is written for this version.
pub(super) fn faults(directives: &[Directive], is_job: bool, request: &Request, version: SystemdVersion) -> Vec<Fault> {
    // An empty value takes an earlier one back.
    let last = |name: &str| {
        let value = directives.iter().rev().find(|directive| directive.name() == name).map(Directive::value);
        value.filter(|value| !value.is_empty())
    };
    let fault = |name: &str, value: &str, reason: String| {
        Fault::new(format!("systemd directive `{name}`"), reason).given(value)
    };
    let mut faults = Vec::new();
    if is_oneshot(directives, is_job) {
        let reason = "cannot be combined with `Type=oneshot`";
        if let Some("cgroup") = last("ExitType") {
            faults.push(fault("ExitType", "cgroup", reason.to_owned()));
        }
        if let Some(statuses) = last("RestartForceExitStatus")
            && !version.has(ONESHOT_FORCED_RESTARTS)
        {
            let reason =
                format!("{reason} before systemd {ONESHOT_FORCED_RESTARTS}, and the unit is written for {version}");
            faults.push(fault("RestartForceExitStatus", statuses, reason));
        }
        if let Some(span) = last("RuntimeMaxSec").filter(|span| *span != "infinity") {
            let help = "`TimeoutStartSec` limits how long such a service runs";
            faults.push(fault("RuntimeMaxSec", span, "has no effect with `Type=oneshot`".to_owned()).help(help));
        }
    }
    if let (Some(_), Some(mode @ ("none" | "process"))) = (last("PAMName"), last("KillMode")) {
        faults.push(fault("KillMode", mode, "must be `control-group` or `mixed` with `PAMName`".to_owned()));
    }
    for (name, needed, example) in NEEDS {
        if let (Some(value), None) = (last(name), last(needed)) {
            let reason = format!("has no effect without `{needed}`");
            let example = request.origin(name).entry(needed, example);
            faults.push(fault(name, value, reason).help(format!("write {example} beside it")));
        }
    }
    let span = |name: &str| last(name).and_then(|span| span.parse::<Span>().ok());
    if let (Some(running), Some(whole)) = (span("JobRunningTimeoutSec"), span("JobTimeoutSec"))
        && running > whole
    {
        let reason = "has no effect when it is longer than `JobTimeoutSec`, which counts the wait before it, too";
        faults.push(fault("JobRunningTimeoutSec", last("JobRunningTimeoutSec").unwrap_or_default(), reason.to_owned()));
    }
    faults
}
