//! One `[[service]]` that stands for several: `instances` lists what each of them has in the place of `{instance}`.

use indexmap::IndexMap;

use super::{Arguments, LogFile, Request, Setting, Time, Value};
use crate::document::DocumentFault;
use crate::model::name::ServiceName;
use crate::model::text::Text;

/// What stands in a value for the instance.
const MARK: &str = "{instance}";
/// How a value that has that text is written.
const LITERAL: &str = "{{instance}}";

/// Refuses what gives no services, or services without names of their own; `at` is where a key of the service stands.
pub(super) fn check(service: &Request, at: impl Fn(&str) -> usize) -> Result<(), DocumentFault> {
    let Some(instances) = &service.instances else { return Ok(()) };
    let fault = |key: &str, reason: String| DocumentFault::new(at(key), key, reason);
    if instances.is_empty() {
        return Err(
            fault("instances", "must name at least one".into()).help("write it as `instances = [\"a\", \"b\"]`")
        );
    }
    let Some(name) = &service.name else {
        let said = "services of a list must be told apart by name, and this one has no `name`";
        return Err(
            fault("instances", said.into()).help("write a `name` beside it, such as `name = \"relay-{instance}\"`")
        );
    };
    for (index, instance) in instances.iter().enumerate() {
        if instance.is_empty() {
            return Err(fault("instances", "must not be empty: it makes the name of a service".into()));
        }
        if instances[..index].contains(instance) {
            let said =
                format!("`{}` must not be listed twice: each makes a service of its own", instance.escape_debug());
            return Err(fault("instances", said));
        }
        let name = name_of(name, instance);
        if let Err(reason) = name.parse::<ServiceName>() {
            let said =
                format!("`{}` makes the service name `{}`: {reason}", instance.escape_debug(), name.escape_debug());
            return Err(fault("instances", said));
        }
    }
    Ok(())
}

/// The services that `service` stands for, each of which has no list of its own.
pub(super) fn each(mut service: Request) -> Vec<Request> {
    let Some(instances) = service.instances.take() else { return vec![service] };
    let of = |instance: &String| {
        let name = service.name.as_ref().map(|name| name_of(name, instance));
        Request { name, ..service.of(instance) }
    };
    instances.iter().map(of).collect()
}

/// The name of an instance: one that does not say where the instance stands has it at its end.
fn name_of(name: &str, instance: &str) -> String {
    let own = name.to_owned().of(instance);
    match own == name {
        // The instance of a template stands behind its `@`.
        true if name.ends_with('@') => format!("{name}{instance}"),
        true => format!("{name}-{instance}"),
        false => own,
    }
}

/// What a value is for one instance.
trait OfInstance {
    fn of(&self, instance: &str) -> Self;
}

impl OfInstance for Text {
    fn of(&self, instance: &str) -> Self {
        let mut bytes = Vec::with_capacity(self.len());
        let mut rest = self.as_bytes();
        while let Some(first) = rest.first() {
            let (put, behind) = if let Some(behind) = rest.strip_prefix(LITERAL.as_bytes()) {
                (MARK.as_bytes(), behind)
            } else if let Some(behind) = rest.strip_prefix(MARK.as_bytes()) {
                (instance.as_bytes(), behind)
            } else {
                (std::slice::from_ref(first), &rest[1..])
            };
            bytes.extend_from_slice(put);
            rest = behind;
        }
        Self::from_bytes(bytes)
    }
}

impl OfInstance for String {
    fn of(&self, instance: &str) -> Self {
        // Both put away whole characters and put whole ones in.
        String::from_utf8(Text::from(self.as_str()).of(instance).as_bytes().to_vec()).expect("still UTF-8")
    }
}

impl<T: OfInstance> OfInstance for Option<T> {
    fn of(&self, instance: &str) -> Self {
        self.as_ref().map(|value| value.of(instance))
    }
}

impl<T: OfInstance> OfInstance for Vec<T> {
    fn of(&self, instance: &str) -> Self {
        self.iter().map(|value| value.of(instance)).collect()
    }
}

/// A table keeps its keys.
impl<T: OfInstance> OfInstance for IndexMap<String, T> {
    fn of(&self, instance: &str) -> Self {
        self.iter().map(|(key, value)| (key.clone(), value.of(instance))).collect()
    }
}

impl OfInstance for Time {
    fn of(&self, instance: &str) -> Self {
        match self {
            Self::Seconds(seconds) => Self::Seconds(*seconds),
            Self::Text(text) => Self::Text(text.of(instance)),
        }
    }
}

impl OfInstance for Arguments {
    fn of(&self, instance: &str) -> Self {
        match self {
            Self::List(words) => Self::List(words.of(instance)),
            Self::Named(values) => Self::Named(values.of(instance)),
        }
    }
}

impl OfInstance for Value {
    fn of(&self, instance: &str) -> Self {
        match self {
            Self::Flag(_) | Self::Integer(_) | Self::Float(_) => self.clone(),
            Self::Word(text) => Self::Word(text.of(instance)),
            Self::List(values) => Self::List(values.of(instance)),
        }
    }
}

impl OfInstance for LogFile {
    fn of(&self, instance: &str) -> Self {
        match self {
            Self::File(path) => Self::File(path.of(instance)),
            Self::Switch(_) => self.clone(),
        }
    }
}

impl OfInstance for Setting {
    fn of(&self, instance: &str) -> Self {
        match self {
            Self::Switch(_) | Self::Integer(_) => self.clone(),
            Self::Text(text) => Self::Text(text.of(instance)),
            Self::Lines(lines) => Self::Lines(lines.of(instance)),
        }
    }
}

impl OfInstance for Request {
    fn of(&self, instance: &str) -> Self {
        Self {
            name: self.name.of(instance),
            instances: self.instances.clone(),
            program: self.program.of(instance),
            python: self.python.of(instance),
            executable: self.executable.of(instance),
            arguments: self.arguments.of(instance),
            command: self.command.of(instance),
            secrets: self.secrets.of(instance),
            secrets_in: self.secrets_in.of(instance),
            interpreter: self.interpreter.of(instance),
            working_directory: self.working_directory.of(instance),
            account: self.account.of(instance),
            plain: self.plain,
            user: self.user,
            at_boot: self.at_boot,
            schedule: self.schedule.of(instance),
            restart: self.restart.of(instance),
            restart_sec: self.restart_sec.of(instance),
            stop_timeout: self.stop_timeout.of(instance),
            stop_command: self.stop_command.of(instance),
            network: self.network,
            after: self.after.of(instance),
            before: self.before.of(instance),
            requires: self.requires.of(instance),
            wants: self.wants.of(instance),
            environment_file: self.environment_file.of(instance),
            log_file: self.log_file.of(instance),
            log_keep: self.log_keep,
            description: self.description.of(instance),
            display_name: self.display_name.of(instance),
            hardening: self.hardening.of(instance),
            path: self.path.of(instance),
            found_path: self.found_path.of(instance),
            found_python: self.found_python,
            assume: self.assume.of(instance),
            environment: self.environment.of(instance),
            systemd: self.systemd.of(instance),
            nssm: self.nssm.of(instance),
            by_option: self.by_option.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_replaced_and_all_else_is_carried() {
        for (written, is) in [
            ("{instance}", "a"),
            ("x{instance}y{instance}", "xaya"),
            ("{{instance}}", "{instance}"),
            ("{{{instance}}}", "{{instance}}"),
            ("{instance", "{instance"),
            ("{Instance} {} {{x}} %i $instance", "{Instance} {} {{x}} %i $instance"),
            ("{\"name\":\"{instance}\"}", "{\"name\":\"a\"}"),
            ("", ""),
        ] {
            assert_eq!(Text::from(written).of("a"), Text::from(is), "{written}");
            assert_eq!(written.to_owned().of("a"), is, "{written}");
        }
        assert_eq!(Text::from_bytes(&b"\xff{instance}\xfe"[..]).of("b"), Text::from_bytes(&b"\xffb\xfe"[..]));
    }

    #[test]
    fn a_name_that_does_not_say_where_has_the_instance_at_its_end() {
        assert_eq!(name_of("relay", "a"), "relay-a");
        assert_eq!(name_of("{instance}.relay", "a"), "a.relay");
    }
}
