//! A role of Ansible that installs services: their files as they are, and tasks that put them in place.
//!
//! What a role does is written in the templates once; only `vars/main.yml` depends on the services.

use askama::Template;

use super::escape::{Signature, Token, Unsayable, YamlText};
use super::{Refusal, Refusals, fence};
use crate::model::artifact::Artifact;
use crate::model::name::{EnvName, ServiceName};
use crate::model::place::{Place, SCRIPTS};
use crate::model::spec::Target;
use crate::model::systemd_version::SystemdVersion;
use crate::model::text::Text;

/// The files of one service of a role.
#[derive(Clone, Debug)]
pub struct RoleService {
    /// The service.
    pub name: ServiceName,
    /// What lies on the host, but for the environment file.
    pub files: Vec<Artifact>,
    /// For NSSM: the batches, and what lies beside them.
    pub batches: Vec<Artifact>,
    /// The variables of its environment file.
    pub secrets: Vec<EnvName>,
    /// Whether it is started at boot.
    pub at_boot: bool,
    /// The version of systemd that its unit is written for.
    pub systemd: SystemdVersion,
}

struct RoleFile {
    service: YamlText,
    source: YamlText,
    path: YamlText,
    mode: YamlText,
}

struct Listed {
    name: Token,
    /// The name in YAML, where a plain `yes` or `1e3` would be no text.
    quoted: YamlText,
    kind: Token,
    run: YamlText,
    /// Whether it is enabled; a batch of NSSM says so itself.
    at_boot: Option<Token>,
    environment_file: YamlText,
    secrets: Vec<(Token, YamlText)>,
}

#[derive(Template)]
#[template(path = "ansible/vars.yml", syntax = "ansible", askama = fence)]
struct Vars<'a> {
    signature: &'a Signature,
    systemd: u32,
    /// Where units lie, where there are units.
    unit_directory: Option<YamlText>,
    /// How the names of the scripts of a service end.
    scripts: [YamlText; 4],
    directories: Vec<YamlText>,
    services: &'a [Listed],
    units: Vec<RoleFile>,
    files: Vec<RoleFile>,
    absent: Vec<RoleFile>,
}

#[derive(Template)]
#[template(path = "ansible/readme.md", syntax = "ansible", askama = fence)]
struct Readme<'a> {
    signature: &'a Signature,
    windows: bool,
    services: Vec<&'a Listed>,
}

/// The templates that depend on nothing but the version of this tool.
macro_rules! fixed {
    ($($name:ident $path:literal),* $(,)?) => {
        $(
            #[derive(Template)]
            #[template(path = $path, syntax = "ansible", askama = fence)]
            struct $name<'a> {
                signature: &'a Signature,
            }
        )*
    };
}

fixed! {
    Defaults "ansible/defaults.yml",
    Environment "ansible/environment.txt",
    Handlers "ansible/handlers.yml",
    Nssm "ansible/nssm.yml",
    Systemd "ansible/systemd.yml",
}

/// The files of a role for `services`, by their paths inside it.
///
/// # Errors
/// Paths that YAML cannot say.
pub fn role(services: Vec<RoleService>, place: &Place, target: Target) -> Result<Vec<Artifact>, Vec<Refusal>> {
    let windows = match target {
        Target::Systemd => false,
        Target::Nssm => true,
    };
    let systemd = services.iter().map(|service| service.systemd).max().unwrap_or(SystemdVersion::USUAL).number();
    let mut refusals = Refusals::default();
    // Where the batches lie on the host; they put the files beside them in place.
    let batches = place.state_dir.with("\\ansible");
    let mut role = Vec::new();
    let (mut listed, mut units, mut files, mut absent) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for RoleService { name, files: on_host, batches: beside, secrets, at_boot, .. } in services {
        let (unit, timer) = (place.unit(&name), place.timer(&name));
        let has_timer = on_host.iter().any(|artifact| artifact.path == timer);
        let enabled = if has_timer { name.timer() } else { name.unit() };
        let run = if windows { batches.with(&format!("\\install-{name}.cmd")) } else { enabled.into() };
        let text = |text: &Text, refusals: &mut Refusals| {
            refusals.keep(format_args!("the path `{text}`"), YamlText::new(text))
        };
        let run = text(&run, &mut refusals);
        let environment_file = text(&place.environment_file(&name), &mut refusals);
        listed.extend(run.zip(environment_file).map(|(run, environment_file)| Listed {
            name: (&name).into(),
            quoted: quoted(name.as_str()),
            kind: if windows { "batch" } else { "unit" }.into(),
            run,
            at_boot: (!windows).then(|| if at_boot { "true" } else { "false" }.into()),
            environment_file,
            secrets: secrets.iter().map(|name| (name.into(), quoted(name.as_str()))).collect(),
        }));
        for path in place.files_of(&name) {
            let kept = path == place.environment_file(&name) && !secrets.is_empty();
            if !windows && !kept && on_host.iter().all(|artifact| artifact.path != path) {
                absent.extend(entry(&name, &Text::default(), &path, 0, &mut refusals));
            }
        }
        let sources: Vec<(Text, Artifact)> = if windows {
            let in_place = on_host.into_iter().map(|artifact| (last_part(&artifact.path), artifact));
            let at_batches = beside.into_iter().map(|artifact| {
                let path = batches.with("\\").with(artifact.path.as_str().unwrap_or_default());
                (artifact.path.clone(), Artifact { path, ..artifact })
            });
            in_place.chain(at_batches).collect()
        } else {
            on_host.into_iter().map(|artifact| (Text::from_bytes(&artifact.path.as_bytes()[1..]), artifact)).collect()
        };
        for (source, artifact) in sources {
            let list = if !windows && [&unit, &timer].contains(&&artifact.path) { &mut units } else { &mut files };
            list.extend(entry(&name, &source, &artifact.path, artifact.mode, &mut refusals));
            let path = Text::from("files/").with(source.as_str().unwrap_or_default());
            if role.iter().all(|known: &Artifact| !windows || known.path != path) {
                role.push(Artifact::plain(path, artifact.contents));
            }
        }
    }
    let directories = if windows { vec![place.state_dir.clone(), batches] } else { vec![place.state_dir.clone()] };
    let directories =
        directories.iter().filter_map(|path| refusals.keep("the state directory", YamlText::new(path))).collect();
    let unit_directory = match windows {
        true => None,
        false => refusals.keep("the directory of units", YamlText::new(&place.unit_dir)),
    };
    let signature = &Signature::new(format_args!(": a role of Ansible; an export writes it anew."));
    let mut add = |path: &str, rendered: askama::Result<String>| {
        let contents = (rendered.expect("every field is checked") + "\n").into_bytes();
        role.push(Artifact::plain(path.into(), contents));
    };
    let tasks = if windows { Nssm { signature }.render() } else { Systemd { signature }.render() };
    add("tasks/main.yml", tasks);
    if !windows {
        add("handlers/main.yml", Handlers { signature }.render());
    }
    add("defaults/main.yml", Defaults { signature }.render());
    let head = Signature::new(format_args!(""));
    add("templates/environment.txt.j2", Environment { signature: &head }.render());
    let with_secrets = listed.iter().filter(|service| !service.secrets.is_empty()).collect();
    add("README.md", Readme { signature, windows, services: with_secrets }.render());
    add(
        "vars/main.yml",
        Vars {
            signature,
            systemd,
            unit_directory,
            scripts: SCRIPTS.map(quoted),
            directories,
            services: &listed,
            units,
            files,
            absent,
        }
        .render(),
    );
    refusals.or(Some(role))
}

fn entry(name: &ServiceName, source: &Text, path: &Text, mode: u32, refusals: &mut Refusals) -> Option<RoleFile> {
    let mut keep = |text: &Text| -> Option<YamlText> {
        let checked: Result<YamlText, Unsayable> = YamlText::new(text);
        refusals.keep(format_args!("the path `{text}`"), checked)
    };
    Some(RoleFile {
        service: quoted(name.as_str()),
        source: keep(source)?,
        path: keep(path)?,
        mode: keep(&format!("{mode:04o}").into())?,
    })
}

/// A name in YAML.
fn quoted(name: &str) -> YamlText {
    YamlText::new(&name.into()).expect("a name is UTF-8")
}

/// The name of a file of a Windows host.
fn last_part(path: &Text) -> Text {
    Text::from_bytes(path.as_bytes().rsplit(|byte| *byte == b'\\').next().unwrap_or_default())
}
