//! Plans for systemd: all files, then one `systemctl enable`, which reloads by itself.

use std::collections::BTreeSet;

use super::step::{Action, Plan, Reversal, Step};
use super::{
    Desired, Difference, InstallOptions, Keep, Registration, compare, directory_steps, file_steps, keeping_steps,
    kept_away, removal_steps,
};
use crate::model::links::{InstallSection, UnitLinks};
use crate::model::name::ServiceName;
use crate::model::observed::{Observed, OtherUnit};
use crate::model::operation;
use crate::model::operation::systemd::Operation;
use crate::model::original::Replaced;
use crate::model::place::Place;
use crate::model::platform::Platform;
use crate::model::spec::Scope;
use crate::model::text::Text;
use crate::render;

fn run(operation: Operation) -> Step {
    Step::plain(Action::Run(operation::Operation::Systemd(operation)))
}

/// A step that may fail; then that is said with `consequence`, if there is one.
fn attempt(operation: Operation, consequence: String) -> Step {
    Step::plain(Action::Try(operation::Operation::Systemd(operation), consequence))
}

fn back(operation: Operation) -> Reversal {
    Reversal::Run(operation::Operation::Systemd(operation))
}

/// The same of the timers of services.
fn of_timers(operation: Operation) -> Operation {
    Operation::Timers(Box::new(operation))
}

/// Those of `names` that are started by timers, and the others.
fn by_timer(names: &[ServiceName], has_timer: impl Fn(&ServiceName) -> bool) -> (Vec<ServiceName>, Vec<ServiceName>) {
    names.iter().cloned().partition(has_timer)
}

/// How the links to a unit are to be, and what differs from that.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LinkDrift {
    /// Links that `systemctl enable` will make.
    pub missing: Vec<Text>,
    /// Links that the unit on the host asks for, and the one that is to be does not.
    pub stale: Vec<Text>,
    /// Links that neither asks for: somebody else made them.
    pub foreign: Vec<Text>,
    /// Whether it asks for a start at boot, and nothing brings it up there.
    pub is_disabled: bool,
    /// Whether it is not to be started at boot, and a link that its unit asks for brings it up there.
    pub is_enabled: bool,
}

impl LinkDrift {
    /// The drift of the links to the unit of a service. What somebody else made stays, as a drop-in does.
    pub fn of(service: &Desired, observed: &Observed, place: &Place) -> Self {
        let at_boot = match service.registration {
            Registration::Unit { at_boot } => at_boot,
            Registration::Nssm(_) => false,
        };
        let contents = |path: &Text| -> Option<&[u8]> {
            Some(&service.artifacts.iter().find(|artifact| artifact.path == *path)?.contents)
        };
        Self::to(&service.name, contents, at_boot, observed, place)
    }

    /// The same for a service whose unit, and timer if it has one, are to have these `contents`.
    fn to<'a>(
        name: &ServiceName,
        contents: impl Fn(&Text) -> Option<&'a [u8]>,
        at_boot: bool,
        observed: &Observed,
        place: &Place,
    ) -> Self {
        let (unit, timer) = (place.unit(name), place.timer(name));
        let mut drift =
            Self::to_unit(name, &name.unit(), &unit, contents(&unit).unwrap_or_default(), at_boot, observed, place);
        if contents(&timer).is_some() || observed.has_timer(name, place) {
            let of_timer = contents(&timer).unwrap_or_default();
            let Self { missing, stale, foreign, is_disabled, is_enabled } =
                Self::to_unit(name, &name.timer(), &timer, of_timer, at_boot, observed, place);
            drift.missing.extend(missing);
            drift.stale.extend(stale);
            drift.foreign.extend(foreign);
            drift.is_disabled |= is_disabled;
            drift.is_enabled |= is_enabled;
        }
        drift
    }

    /// The same for one unit.
    ///
    /// One that is not started at boot has none of the links that its unit asks for, as after `systemctl disable`: the
    /// section stays, so that `systemctl enable` has something to go by.
    fn to_unit(
        name: &ServiceName,
        unit: &str,
        path: &Text,
        unit_text: &[u8],
        at_boot: bool,
        observed: &Observed,
        place: &Place,
    ) -> Self {
        let in_place = |links: BTreeSet<Text>| -> BTreeSet<Text> {
            links.iter().map(|link| Platform::Unix.join(&place.unit_dir, &link.to_string())).collect()
        };
        let asked = |contents: &[u8]| in_place(InstallSection::read(contents, unit).links(unit));
        let now = asked(unit_text);
        let earlier = earlier_unit(observed, name, path, place).map(asked).unwrap_or_default();
        let ours = |link: &Text| earlier.contains(link) || now.contains(link);
        let wanted = if at_boot { now.clone() } else { BTreeSet::new() };
        let there = observed.links.of(unit);
        let is_there = |link: &Text| there.contains_key(link);
        let unwanted =
            there.keys().filter(|link| !wanted.contains(*link) && (ours(link) || !is_of_instance(link, name)));
        let (stale, foreign) = unwanted.cloned().partition(ours);
        let in_folder = |link: &&Text| is_in_folder(link, &place.unit_dir);
        let is_disabled = wanted.iter().any(|link| in_folder(&link)) && !wanted.iter().filter(in_folder).any(is_there);
        let is_enabled = !at_boot && now.iter().filter(in_folder).any(is_there);
        let missing = wanted.iter().filter(|link| !is_there(link)).cloned().collect();
        Self { missing, stale, foreign, is_disabled, is_enabled }
    }

    /// Whether the links are as they should be.
    pub fn is_same(&self) -> bool {
        self.missing.is_empty() && self.stale.is_empty()
    }
}

/// What a unit of a service, or its timer, holds now, be it one that is not ours and is taken over.
fn earlier_unit<'a>(observed: &'a Observed, name: &ServiceName, path: &Text, place: &Place) -> Option<&'a [u8]> {
    let adopted = || {
        let mut units = observed.adopted.get(name)?.units(name, place);
        units.find(|replaced| replaced.ours == *path).map(|replaced| &*replaced.original.contents)
    };
    observed.files.get(path).map(|found| &*found.contents).or_else(adopted)
}

/// Whether a link lies in a directory of its own below that of units, such as `multi-user.target.wants`: others are
/// names.
fn is_in_folder(link: &Text, unit_dir: &Text) -> bool {
    let rest = link.as_bytes().strip_prefix(unit_dir.as_bytes()).unwrap_or_default();
    rest.iter().filter(|byte| **byte == b'/').count() > 1
}

/// What makes the links to these services, and to the units that are enabled and disabled with them, what they are
/// now.
fn links_back<'a>(
    names: impl IntoIterator<Item = &'a ServiceName>,
    desired: &[Desired],
    observed: &Observed,
    place: &Place,
) -> Reversal {
    let mut units = BTreeSet::new();
    for name in names {
        for (unit, path) in [(name.unit(), place.unit(name)), (name.timer(), place.timer(name))] {
            let earlier = earlier_unit(observed, name, &path, place);
            let own = desired.iter().filter(|service| service.name == *name).flat_map(|service| &service.artifacts);
            let new = own.filter(|artifact| artifact.path == path).map(|artifact| &*artifact.contents);
            let known: Vec<_> = earlier.into_iter().chain(new).collect();
            for contents in &known {
                units.extend(InstallSection::read(contents, &unit).also().iter().cloned());
            }
            // A timer that is not ours is none of our business.
            if !known.is_empty() || path == place.unit(name) {
                units.insert(unit);
            }
        }
    }
    Reversal::Links(observed.links.only(&units))
}

/// What `systemctl enable` makes of services in a tree of files.
#[derive(Debug, Default)]
pub struct Enabled {
    /// Links, by their paths, and what they say.
    pub links: UnitLinks,
    /// Units of others that are enabled with them.
    pub also: Vec<(ServiceName, String)>,
}

/// The links that have `desired` started at boot, where a system is made of files. Those of a person's services lie in any
/// home directory, so they lead from where they lie.
pub fn enabled(desired: &[Desired], scope: Scope, place: &Place) -> Enabled {
    let mut enabled = Enabled::default();
    let is_at_boot = |service: &&Desired| match &service.registration {
        Registration::Unit { at_boot } => *at_boot,
        Registration::Nssm(_) => false,
    };
    for service in desired.iter().filter(is_at_boot) {
        let units =
            [(service.name.unit(), place.unit(&service.name)), (service.name.timer(), place.timer(&service.name))];
        for (unit, path) in units {
            let Some(file) = service.artifacts.iter().find(|artifact| artifact.path == path) else { continue };
            let section = InstallSection::read(&file.contents, &unit);
            for link in section.links(&unit) {
                let target = match scope {
                    Scope::System => path.clone(),
                    Scope::User if link.as_bytes().contains(&b'/') => format!("../{unit}").into(),
                    Scope::User => unit.as_str().into(),
                };
                enabled.links.insert(Platform::Unix.join(&place.unit_dir, &link.to_string()), target);
            }
            let is_ours =
                |also: &&String| desired.iter().any(|other| [other.name.unit(), other.name.timer()].contains(also));
            let others = section.also().iter().filter(|also| !is_ours(also));
            enabled.also.extend(others.map(|also| (service.name.clone(), also.clone())));
        }
    }
    enabled
}

/// The plan that installs `desired`, or brings it up to date.
///
/// One `systemctl enable` for all: it reloads the service manager by itself, once.
pub(super) fn install(desired: &[Desired], observed: &Observed, place: &Place, options: &InstallOptions) -> Plan {
    let mut plan = Plan::of(Vec::new());
    let (mut enable, mut enable_timers, mut linked) = (Vec::new(), Vec::new(), Vec::new());
    let mut reloads = false;
    let mut stale = Vec::new();
    let mut changed = Vec::new();
    let dropped: Vec<_> = desired.iter().filter(|service| !service.has_timer(place)).collect();
    let dropped = dropped.into_iter().map(|service| &service.name).filter(|name| observed.has_timer(name, place));
    plan.steps.extend(without_timers(&dropped.cloned().collect::<Vec<_>>(), observed));
    for service in desired {
        let units = [place.unit(&service.name), place.timer(&service.name)];
        // What is kept of an original comes before anything takes its place.
        let mut steps = keeping_steps(observed, &service.name, place);
        steps.extend(file_steps(observed, service, place));
        let links = LinkDrift::of(service, observed, place);
        if !steps.is_empty() {
            changed.push(service.name.clone());
        }
        plan.steps.extend(steps);
        let unit_differs = service
            .artifacts
            .iter()
            .any(|artifact| units.contains(&artifact.path) && compare(observed, artifact) != Difference::Same);
        if unit_differs || !links.is_same() {
            reloads = true;
            linked.push(service.name.clone());
            // Links to an original are links to what has its name; and `systemctl enable` has init scripts follow.
            let has_all = observed.adopted.contains_key(&service.name) && links.missing.is_empty();
            if service.registration == (Registration::Unit { at_boot: true }) && !has_all {
                let enable = if service.has_timer(place) { &mut enable_timers } else { &mut enable };
                enable.push(service.name.clone());
            }
        }
        stale.extend(links.stale);
    }
    if !plan.steps.is_empty() {
        let stopped: Vec<_> = changed.iter().filter(|name| !observed.active.contains(name)).cloned().collect();
        plan.steps.extend(end_leftovers(&stopped, observed, place));
        plan.steps.splice(0..0, directory_steps(observed, &[&place.state_dir, &place.unit_dir]));
    }
    plan.steps.extend(observed.logs_out.as_deref().map(lingering));
    let links_back = links_back(&linked, desired, observed, place);
    plan.steps.extend(unlinked(stale, &links_back));
    // What runs is not asked here, so that a preview can say the same; what is stopped already stays so.
    let surplus = taken_away(&options.remove, &options.remove, observed, place, options.keep());
    let removes = !surplus.is_empty();
    plan.steps.extend(surplus);
    if reloads || removes {
        plan.after_undo.push(back(Operation::Reload));
    }
    let enabling = enabling(enable, enable_timers, &links_back);
    if !enabling.is_empty() {
        plan.steps.extend(enabling);
    } else if reloads || removes {
        plan.steps.push(run(Operation::Reload));
    }
    let loads: Vec<ServiceName> = linked.into_iter().filter(|name| options.loads.contains(name)).collect();
    if !loads.is_empty() {
        plan.steps.push(Step::plain(Action::Load(loads)));
    }
    if removes {
        plan.steps.push(forgotten(&options.remove));
    }
    if options.start || options.restart_now {
        let steps = starting(desired, observed, place, &changed, options);
        let started: Vec<_> = steps.iter().flat_map(|step| step.action.starts()).cloned().collect();
        if !started.is_empty() {
            // What did not start, and is stopped again, would count as failed for ever.
            plan.after_undo.push(forgets(started));
        }
        plan.steps.extend(steps);
    }
    plan
}

/// Steps that enable services, and the timers of others.
fn enabling(services: Vec<ServiceName>, timers: Vec<ServiceName>, links_back: &Reversal) -> Vec<Step> {
    let enable = |names: Vec<ServiceName>| (!names.is_empty()).then_some(Operation::Enable(names));
    let operations = enable(services).into_iter().chain(enable(timers).map(of_timers));
    operations.map(|operation| run(operation).undone_by([links_back.clone()])).collect()
}

/// The step that ends timers, whose units are about to go, and has those wait again that did.
fn without_timers(names: &[ServiceName], observed: &Observed) -> Option<Step> {
    let again: Vec<_> = names.iter().filter(|name| observed.active.contains(name)).cloned().collect();
    let again = (!again.is_empty()).then(|| back(of_timers(Operation::Start(again))));
    (!names.is_empty()).then(|| run(of_timers(Operation::Stop(names.to_vec()))).at_last(again))
}

/// The step by which the services of a user are started at boot, and stay when the user logs out.
///
/// A removal does not take it back, but says that it stays: nothing tells who else of the user's relies on it, or wanted
/// it before us, and without it the user's service manager ends with all that it runs as soon as nobody is logged in.
fn lingering(user: &str) -> Step {
    let consequence = format!(
        "without it the service stops when you log out, and does not start at boot; `sudo loginctl enable-linger {user}` \
         allows it"
    );
    let undo = Reversal::Try(operation::Operation::Systemd(Operation::DisableLinger(user.to_owned())));
    attempt(Operation::EnableLinger(user.to_owned()), consequence).undone_by([undo])
}

/// Steps that take links away.
fn unlinked(links: Vec<Text>, links_back: &Reversal) -> impl Iterator<Item = Step> {
    links.into_iter().map(|link| Step::plain(Action::Unlink(link)).undone_by([links_back.clone()]))
}

/// The plan after which services are started at boot, or are not; their units stay as they are.
///
/// What `Also=` names is enabled by `systemctl enable`, and stays so: it may be enabled for its own sake.
pub(super) fn at_boot(names: &[ServiceName], at_boot: bool, observed: &Observed, place: &Place) -> Plan {
    let mut plan = Plan::of(Vec::new());
    let (mut linked, mut stale) = (Vec::new(), Vec::new());
    for name in names {
        let contents = |path: &Text| observed.files.get(path).map(|found| &*found.contents);
        let links = LinkDrift::to(name, contents, at_boot, observed, place);
        if !links.is_same() {
            linked.push(name.clone());
        }
        stale.extend(links.stale);
    }
    let links_back = links_back(&linked, &[], observed, place);
    plan.steps.extend(unlinked(stale, &links_back));
    if !linked.is_empty() {
        plan.after_undo.push(back(Operation::Reload));
        let (timers, services) = by_timer(&linked, |name| observed.has_timer(name, place));
        plan.steps.extend(match at_boot {
            true => enabling(services, timers, &links_back),
            false => vec![run(Operation::Reload).undone_by([links_back])],
        });
    }
    plan
}

/// The plan after which instances of templates are started at boot, or are not: their links alone say it, and lead to the
/// template.
pub(super) fn instances_at_boot(names: &[ServiceName], at_boot: bool, observed: &Observed, place: &Place) -> Plan {
    let mut plan = Plan::of(Vec::new());
    let (mut units, mut linked) = (BTreeSet::new(), Vec::new());
    for (name, template) in names.iter().filter_map(|name| Some((name, name.template()?))) {
        let contents = observed.files.get(&place.unit(&template)).map(|found| &*found.contents).unwrap_or_default();
        let there = observed.links.of(&template.unit());
        let is_as_wanted = match at_boot {
            true => InstallSection::read(contents, &name.unit())
                .links(&name.unit())
                .iter()
                .all(|link| there.contains_key(&Platform::Unix.join(&place.unit_dir, &link.to_string()))),
            false => !there.keys().any(|link| is_called(link, name)),
        };
        if !is_as_wanted {
            linked.push(name.clone());
            units.insert(template.unit());
        }
    }
    if !linked.is_empty() {
        plan.after_undo.push(back(Operation::Reload));
        let operation = if at_boot { Operation::Enable(linked) } else { Operation::Disable(linked) };
        plan.steps.push(run(operation).undone_by([Reversal::Links(observed.links.only(&units))]));
        if !at_boot {
            plan.steps.push(run(Operation::Reload));
        }
    }
    plan
}

/// Whether a link is called like the unit of a service.
fn is_called(link: &Text, name: &ServiceName) -> bool {
    link.as_bytes().strip_suffix(name.unit().as_bytes()).is_some_and(|folder| folder.ends_with(b"/"))
}

/// Whether a link is called like an instance of a template: who enables one has it made.
fn is_of_instance(link: &Text, template: &ServiceName) -> bool {
    let file = link.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let instance = file.strip_prefix(template.as_str().as_bytes()).filter(|_| template.is_template());
    instance.is_some_and(|instance| instance.ends_with(b".service") && instance != b".service")
}

/// Steps that start what does not run, and start again what runs and has changed.
///
/// What is taken over goes on running as it is, unless it is said that it is started again.
fn starting(
    desired: &[Desired],
    observed: &Observed,
    place: &Place,
    changed: &[ServiceName],
    options: &InstallOptions,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let (jobs, services): (Vec<_>, Vec<_>) = desired.iter().partition(|service| service.has_timer(place));
    let jobs: Vec<ServiceName> = jobs.into_iter().map(|service| service.name.clone()).collect();
    let is_taken_over = |name: &ServiceName| observed.adopted.contains_key(name) && observed.active.contains(name);
    let goes_on = |name: &ServiceName| is_taken_over(name) && !options.restart_now;
    let is_asked = |name: &ServiceName| options.start || is_taken_over(name);
    let jobs: Vec<_> = jobs.into_iter().filter(|name| is_asked(name) && !goes_on(name)).collect();
    steps.extend(starting_timers(&jobs, observed, place, changed));
    let names: Vec<ServiceName> = services.into_iter().map(|service| service.name.clone()).collect();
    // What only waited for its next run does not run.
    let runs = |name: &ServiceName| observed.active.contains(name) && !observed.has_timer(name, place);
    let (running, mut stopped): (Vec<_>, Vec<_>) = names.into_iter().partition(runs);
    stopped.retain(|_| options.start);
    let restart: Vec<_> = running.into_iter().filter(|name| changed.contains(name) && !goes_on(name)).collect();
    let settling: Vec<_> = stopped.iter().chain(&restart).cloned().collect();
    let is_known = |name: &&ServiceName| earlier_unit(observed, name, &place.unit(name), place).is_some();
    let known: Vec<_> = settling.iter().filter(is_known).cloned().collect();
    steps.extend(allow_start(&known));
    if !stopped.is_empty() {
        steps.push(run(Operation::Start(stopped.clone())).undone_by([back(Operation::Stop(stopped))]));
    }
    if !restart.is_empty() {
        let again = Operation::Restart(restart.clone());
        steps.push(run(again.clone()).at_last([forgets(restart), back(again)]));
    }
    if !settling.is_empty() {
        steps.push(Step::plain(Action::Settle(settling)));
    }
    steps
}

/// Steps after which the timers of `jobs` wait by what their units say now.
fn starting_timers(jobs: &[ServiceName], observed: &Observed, place: &Place, changed: &[ServiceName]) -> Vec<Step> {
    let mut steps = Vec::new();
    let is_active = |name: &&ServiceName| observed.active.contains(name);
    // What runs all the time so far makes room for its timer.
    let (timed, untimed) = by_timer(jobs, |name| observed.has_timer(name, place));
    let ended: Vec<_> = untimed.iter().filter(is_active).cloned().collect();
    if !ended.is_empty() {
        let again = [forgets(ended.clone()), back(Operation::Start(ended.clone()))];
        steps.push(run(Operation::Stop(ended)).at_last(again));
    }
    let (waiting, idle): (Vec<_>, Vec<_>) = timed.into_iter().partition(|name| is_active(&name));
    let start: Vec<_> = untimed.into_iter().chain(idle).collect();
    if !start.is_empty() {
        let stop = back(of_timers(Operation::Stop(start.clone())));
        steps.push(run(of_timers(Operation::Start(start))).undone_by([stop]));
    }
    let again: Vec<_> = waiting.into_iter().filter(|name| changed.contains(name)).collect();
    if !again.is_empty() {
        let restart = of_timers(Operation::Restart(again));
        steps.push(run(restart.clone()).at_last([back(restart)]));
    }
    steps
}

/// The step after which systemd starts units however often they have been started lately: it counts the starts by
/// hand, too, and refuses one when the limit of the unit is reached (systemd.unit(5), `StartLimitIntervalSec=`).
/// `reset-failed` clears that count (systemctl(1)); of a unit that is new there is none.
fn allow_start(known: &[ServiceName]) -> Option<Step> {
    (!known.is_empty()).then(|| forgotten(known))
}

/// The same in an undo.
fn forgets(names: Vec<ServiceName>) -> Reversal {
    Reversal::Try(operation::Operation::Systemd(Operation::ResetFailed(names)))
}

/// The steps that stop services, and start them again when all is as it was.
pub(super) fn stop(names: &[ServiceName], observed: &Observed, place: &Place) -> Vec<Step> {
    let (timers, services) = by_timer(names, |name| observed.has_timer(name, place));
    let again = (!services.is_empty()).then(|| [forgets(services.clone()), back(Operation::Start(services))]);
    let stop = run(Operation::Stop(names.to_vec())).at_last(again.into_iter().flatten());
    without_timers(&timers, observed).into_iter().chain([stop]).collect()
}

/// The plan that removes services: stopped, disabled, files gone, one reload.
pub(super) fn remove(names: &[ServiceName], observed: &Observed, place: &Place, keep: Keep) -> Plan {
    let known: Vec<_> = names.iter().filter(|name| is_known(observed, name, place)).cloned().collect();
    let running: Vec<_> = known.iter().flat_map(|name| running_of(name, observed)).collect();
    let mut plan = Plan::of(taken_away(names, &running, observed, place, keep));
    plan.steps.extend(names.iter().flat_map(|name| forgetting_steps(observed, name, place)));
    if !known.is_empty() {
        plan.steps.push(run(Operation::Reload));
        plan.steps.push(forgotten(&known));
        plan.after_undo.push(back(Operation::Reload));
    }
    plan
}

/// What runs of a service: itself, or instances of the template that it is.
fn running_of<'a>(name: &'a ServiceName, observed: &'a Observed) -> impl Iterator<Item = ServiceName> {
    let is_of = move |active: &&ServiceName| *active == name || active.template().as_ref() == Some(name);
    observed.active.iter().filter(is_of).cloned()
}

/// Steps that take away what is kept of a package's unit that is gone: nothing is left to give back.
fn forgetting_steps(observed: &Observed, name: &ServiceName, place: &Place) -> Vec<Step> {
    let is_gone = observed.gone_originals.contains(name);
    if is_gone { kept_away(observed, name, place).collect() } else { Vec::new() }
}

/// The plan that gives services back to what had their names. Nothing is stopped or started: to systemd a service goes
/// on when its unit is another one.
pub(super) fn release(names: &[ServiceName], observed: &Observed, place: &Place) -> Plan {
    let mut plan = Plan::of(Vec::new());
    for name in names {
        let Some(original) = observed.originals.get(name) else { continue };
        let (in_place, beside): (Vec<_>, Vec<_>) = original.units(name, place).partition(Replaced::was_in_place);
        for Replaced { original, ours, .. } in &in_place {
            let artifact = original.artifact();
            let is_back = observed.files.get(ours).is_some_and(|found| {
                (&found.contents, found.mode, found.owner) == (&artifact.contents, artifact.mode, original.owner)
            });
            if !is_back {
                plan.steps.push(Step::plain(Action::PutBack(artifact, original.owner)));
            }
        }
        let links = original.links(name, place);
        let units = links.iter().map(|(unit, _)| unit.to_owned()).collect();
        let now = observed.links.only(&units);
        if links != now {
            plan.steps.push(Step::plain(Action::Relink(links)).undone_by([Reversal::Links(now)]));
        }
        let mut ours: Vec<Text> = beside.into_iter().map(|replaced| replaced.ours).collect();
        // Before it was adopted, no timer of that name was taken over: ours goes.
        if original.timer.is_none() && observed.has_timer(name, place) {
            plan.steps.extend(without_timers(std::slice::from_ref(name), observed));
            plan.steps.extend(disabled_timers(vec![name.clone()], observed, place));
            ours.push(place.timer(name));
        }
        plan.steps.extend(removal_steps(observed, name, place, Keep::default(), &ours));
        plan.steps.extend(kept_away(observed, name, place));
    }
    plan.after_undo.push(back(Operation::Reload));
    plan.steps.push(run(Operation::Reload));
    plan
}

/// Whether systemd has the service of ours, be it masked; what has the same name otherwise is not ours to stop.
fn is_known(observed: &Observed, name: &ServiceName, place: &Place) -> bool {
    let is_masked = matches!(observed.other_units.get(name), Some(OtherUnit::Mask(_)));
    is_masked || observed.files.contains_key(&place.unit(name))
}

/// Steps that take services away, but for the reload: those in `stop` are stopped.
fn taken_away(
    names: &[ServiceName],
    stop: &[ServiceName],
    observed: &Observed,
    place: &Place,
    keep: Keep,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let is_linked =
        |name: &&ServiceName| is_known(observed, name, place) && !observed.links.of(&name.unit()).is_empty();
    let linked: Vec<_> = names.iter().filter(is_linked).cloned().collect();
    let (timers, _) = by_timer(names, |name| observed.has_timer(name, place));
    steps.extend(without_timers(&timers, observed));
    if !stop.is_empty() {
        let running = stop.iter().filter(|name| !timers.contains(name));
        let running: Vec<_> = running.flat_map(|name| running_of(name, observed)).collect();
        let again = (!running.is_empty()).then(|| [forgets(running.clone()), back(Operation::Start(running))]);
        steps.push(run(Operation::Stop(stop.to_vec())).undone_by(again.into_iter().flatten()));
    }
    steps.extend(end_leftovers(names, observed, place));
    if !linked.is_empty() {
        let undo = links_back(&linked, &[], observed, place);
        steps.push(run(Operation::Disable(linked)).undone_by([undo]));
    }
    steps.extend(disabled_timers(timers, observed, place));
    for name in names {
        steps.extend(removal_steps(observed, name, place, keep, &[place.timer(name), place.unit(name)]));
    }
    steps
}

/// The step after which no link starts timers any more.
fn disabled_timers(timers: Vec<ServiceName>, observed: &Observed, place: &Place) -> Option<Step> {
    let linked: Vec<_> = timers.into_iter().filter(|name| !observed.links.of(&name.timer()).is_empty()).collect();
    let undo = || links_back(&linked, &[], observed, place);
    (!linked.is_empty()).then(|| run(of_timers(Operation::Disable(linked.clone()))).undone_by([undo()]))
}

/// The step that clears what systemd remembers of services' failures: of ours only. A unit that is gone
/// has none, which is no error.
fn forgotten(names: &[ServiceName]) -> Step {
    attempt(Operation::ResetFailed(names.to_vec()), String::new())
}

/// The step that ends what `systemctl stop` leaves behind of OpenMSIStream's units, if any of these is
/// one and does not run: they have `KillMode=none`. What is observed and not ours is one.
fn end_leftovers(names: &[ServiceName], observed: &Observed, place: &Place) -> Option<Step> {
    let is_theirs = |name: &&ServiceName| {
        let unit = observed.files.get(&place.unit(name)).filter(|_| !observed.adopted.contains_key(*name));
        unit.is_some_and(|unit| !render::is_ours(&unit.contents))
    };
    let theirs: Vec<_> = names.iter().filter(is_theirs).cloned().collect();
    // It fails where nothing is left.
    (!theirs.is_empty()).then(|| attempt(Operation::Kill(theirs), String::new()))
}
