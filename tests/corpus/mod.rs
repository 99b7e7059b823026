//! Texts that installers of services get wrong: every test of arguments, values and paths starts
//! from these.

#![allow(dead_code, reason = "each test takes what it needs")]

use install_service::model::name::EnvName;
use install_service::model::span::Span;
use install_service::model::spec::{
    Argument, Hardening, Order, Ours, Output, Restart, Run, Scope, SecretStore, ServiceSpec,
};
use install_service::model::text::Text;
use proptest::prelude::*;

/// Texts that any process can be given.
pub(crate) const NASTY: &[&str] = &[
    "",
    " ",
    "a b",
    " lead",
    "trail ",
    "a  b\t",
    "\t",
    "\n",
    "line1\nline2",
    "a\r\nb\rc",
    "a\rEnvironment=INJECTED=1",
    "x\n[Service]\nExecStart=/bin/evil",
    "\u{1}\u{2}\u{1b}[31m\u{7f}",
    "\u{80}\u{85}\u{9f}",
    "\"",
    "'",
    "'\"'\"'",
    "it's \"so\"",
    "\\",
    "a\\b",
    "C:\\dir\\",
    "a\\\\",
    "\\\"",
    "\\n \\t \\x41 \\u00e9 \\101 \\s",
    "%",
    "%%",
    "%n %i %h",
    "100%",
    "50% off",
    "%PATH%",
    "a%PATH%b c",
    "%%PATH%%",
    "x\\%",
    "%1 %~dp0 %*",
    "$",
    "$$",
    "$HOME",
    "${HOME}",
    "$1,000",
    "a$b$",
    "$(id) `id`",
    "!x! ^ & | < > ( )",
    ";",
    "\\;",
    "a;b",
    "#",
    "#tag",
    "-",
    "--",
    "-x",
    "@file",
    ":x",
    "+x",
    "~",
    "*",
    "/etc/*",
    "[abc]?",
    "{a,b}",
    "A=B",
    "=",
    "é",
    "日本語",
    "😀",
    "e\u{301}",
    "\u{a0}\u{2028}\u{2029}\u{feff}\u{202e}",
    "\u{e000}\u{10fffd}\u{10ff00}\u{10ff41}\u{10ff80}",
];

/// Bytes that are no text: not UTF-8, or what systemd takes for broken UTF-8.
pub(crate) const RAW: &[&[u8]] = &[
    b"\xff",
    b"a\xffb",
    b"\x80'",
    b"\xc3",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbf\xbe",
    b"\xef\xb7\x90",
    b"\xf0\x9f\xbf\xbf",
    b"\xff\n\xfe\"\\$%'",
];

/// Any text that a systemd unit can say: UTF-8 without NUL and noncharacters, rich in what has a meaning somewhere.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => prop::sample::select("\"\\'%$ \t\n\r;#{}[]*?`!^&|<>()=:@+-~n1x".chars().collect::<Vec<_>>()),
        2 => prop::char::range('\u{1}', '\u{7f}'),
        2 => any::<char>().prop_filter("text", |c| *c != '\0' && !noncharacter(*c)),
        1 => prop::char::range('\u{10ff00}', '\u{10fffd}'),
    ];
    prop_oneof![
        1 => prop::sample::select(NASTY).prop_map(str::to_owned),
        4 => prop::collection::vec(character, 0..24).prop_map(String::from_iter),
    ]
}

/// Any bytes but NUL.
pub(crate) fn bytes() -> impl Strategy<Value = Text> {
    prop_oneof![
        2 => text().prop_map(Text::from),
        1 => prop::sample::select(RAW).prop_map(Text::from_bytes),
        2 => prop::collection::vec(1u8.., 0..24).prop_map(Text::from_bytes),
    ]
}

/// An absolute path of one line that systemd takes as it is.
pub(crate) fn path() -> impl Strategy<Value = String> {
    text().prop_map(|text| format!("/srv/{}", text.replace(['\n', '\r'], "_").replace("..", "_")))
}

fn noncharacter(c: char) -> bool {
    (0xFDD0..=0xFDEF).contains(&(c as u32)) || c as u32 & 0xFFFE == 0xFFFE
}

/// Any service of systemd, valid as far as its texts need no look at a host.
pub(crate) fn spec() -> impl Strategy<Value = ServiceSpec> {
    let directory = || {
        prop_oneof![
            3 => path().prop_map(Text::from),
            1 => bytes().prop_map(|text| Text::from_bytes([b"/srv/", text.as_bytes()].concat())),
        ]
    };
    let argument = prop_oneof![
        6 => text().prop_map(|text| Argument::Literal(text.into())),
        1 => bytes().prop_map(Argument::Literal),
        1 => text().prop_map(|text| Argument::Reference { before: text.into(), variable: variable("SECRET") }),
    ];
    let run =
        (any::<bool>(), path(), prop::collection::vec(argument, 0..6)).prop_map(
            |(python, path, arguments)| match python {
                true => {
                    let entry = "package.module:main".parse().unwrap();
                    Run::Python { interpreter: "/bin/true".into(), entry, arguments }
                }
                false => Run::Executable { path: path.into(), arguments },
            },
        );
    let value = prop_oneof![6 => text().prop_map(Text::from), 1 => bytes()];
    let names = ["A", "LANG", "LD_LIBRARY_PATH", "IFS", "PWD", "discovery.type"].map(variable);
    let environment = prop_oneof![
        2 => prop::collection::vec((prop::sample::select(names[..2].to_vec()), value.clone()), 0..3),
        1 => prop::collection::vec((prop::sample::select(names.to_vec()), value), 0..5),
    ];
    let texts = (text(), directory(), prop::collection::vec(directory(), 0..3), environment);
    let choices = (
        prop::sample::select(vec![Hardening::None, Hardening::Baseline, Hardening::Service, Hardening::Strict]),
        prop::sample::select(vec![Restart::Always, Restart::OnFailure, Restart::Never]),
        prop::option::of(Just("joe".to_owned())),
        any::<bool>(),
        prop::sample::select(vec![SecretStore::File, SecretStore::Credential, SecretStore::EncryptedCredential]),
        any::<bool>(),
    );
    (run, texts, choices).prop_map(|(run, texts, (hardening, restart, account, secret, secrets_in, bin))| {
        let (description, working_directory, writes, environment) = texts;
        ServiceSpec {
            name: "web".parse().unwrap(),
            display_name: Default::default(),
            description: description.parse().unwrap_or_default(),
            is_script_of_python: false,
            ctrl_c: true,
            run,
            working_directory,
            environment: environment.into_iter().collect(),
            secrets: if secret { vec![variable("SECRET")] } else { Vec::new() },
            secrets_in,
            account,
            at_boot: true,
            restart,
            restart_sec: Span::seconds(10),
            stop_timeout: Span::seconds(90),
            stop_command: None,
            network: true,
            order: Order { after: vec!["postgresql".parse().unwrap()], ..Order::default() },
            environment_file: None,
            output: Output::Usual,
            log_keep: None,
            timer: None,
            hardening,
            path: if bin { vec!["/opt/v e/b%n".into()] } else { Vec::new() },
            writes,
            scope: Scope::System,
            systemd: 252.into(),
            ours: Ours::All,
            directives: Vec::new(),
            parameters: Vec::new(),
        }
    })
}

fn variable(name: &str) -> EnvName {
    name.parse().unwrap()
}
