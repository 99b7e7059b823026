//! Every encoder, read back by a reader made from the manual of its grammar.

use install_service::model::command_line;
use install_service::model::environment_file;
use install_service::model::name::EnvName;
use install_service::model::systemd_table::KnownDirective;
use install_service::model::systemd_version::SystemdVersion;
use install_service::model::text::Text;
use install_service::render::escape::*;
use proptest::prelude::*;

use crate::corpus;
use crate::grammar;

fn name(name: &str) -> EnvName {
    name.parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_word_of_a_command_line_comes_back(text in corpus::text()) {
        let line = ExecWord::verbatim(&text.as_str().into()).unwrap().to_string();
        let words = grammar::words(&line, true);
        prop_assert_eq!(words.len(), 1);
        prop_assert_eq!(&grammar::specifiers(&words[0]), &text);

        let line = ExecWord::expanded(&text.as_str().into()).unwrap().to_string();
        let words = grammar::words(&line, true);
        prop_assert_eq!(words.len(), 1);
        prop_assert_eq!(&grammar::variables(&grammar::specifiers(&words[0])), &text);
        prop_assert!(!line.contains(|c: char| c < ' ' || c == '\x7f'));
    }

    #[test]
    fn a_reference_keeps_what_stands_before_it(text in corpus::text()) {
        let line = ExecWord::reference(&text.as_str().into(), &name("A_1")).unwrap().to_string();
        let words = grammar::words(&line, true);
        prop_assert_eq!(words.len(), 1);
        prop_assert_eq!(grammar::variables(&grammar::specifiers(&words[0])), format!("{text}<A_1>"));
    }

    #[test]
    fn an_assignment_comes_back(text in corpus::text()) {
        let line = EnvAssignment::new(&name("A"), &text.as_str().into(), SystemdVersion::USUAL).unwrap().to_string();
        let words = grammar::words(&line, true);
        prop_assert_eq!(words.len(), 1);
        prop_assert_eq!(grammar::specifiers(&words[0]), format!("A={text}"));
    }

    #[test]
    fn paths_come_back(path in corpus::path()) {
        let text = Text::from(path.as_str());
        let raw = RawPath::directory(&text).unwrap().to_string();
        let back = grammar::specifiers(&grammar::rest_of_line(&raw));
        prop_assert_eq!(back.trim_end_matches('/'), path.trim_end_matches('/'));

        if let Ok(raw) = RawPath::file(&text) {
            prop_assert_eq!(&grammar::specifiers(&grammar::rest_of_line(&raw.to_string())), &path);
            let pattern = GlobPath::new(&text).unwrap().to_string();
            prop_assert_eq!(&grammar::glob(&grammar::specifiers(&grammar::rest_of_line(&pattern))), &path);
        } else {
            prop_assert!(path.ends_with([' ', '\t', '\\']));
        }

        let words = grammar::words(&PathWord::new(&text).unwrap().to_string(), false);
        prop_assert_eq!(words.len(), 1);
        prop_assert_eq!(&grammar::specifiers(&words[0]), &path);
        let words = grammar::words(&PathWord::if_there(&text).unwrap().to_string(), false);
        prop_assert_eq!(grammar::specifiers(&words[0]), format!("-{path}"));
    }

    #[test]
    fn a_description_comes_back(text in corpus::text()) {
        if let Ok(line) = text.parse::<install_service::model::name::OneLine>() {
            let written = Description::new(&line).unwrap().to_string();
            let back = grammar::specifiers(&grammar::rest_of_line(&written));
            prop_assert_eq!(back, line.as_str().trim_matches([' ', '\t']));
        }
    }

    #[test]
    fn an_environment_file_comes_back(values in prop::collection::vec(corpus::text(), 0..8)) {
        let mut file = String::from("# a comment\n");
        let mut wanted = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let value = Text::from(value.as_str());
            let name = name(&format!("V_{index}"));
            file.push_str(&format!("{}={}\n", EnvFileName::new(&name).unwrap(), EnvFileValue::new(&value, SystemdVersion::USUAL).unwrap()));
            wanted.push((name.to_string(), value));
        }
        prop_assert_eq!(environment_file::read(file.as_bytes()), wanted);
    }

    /// As the parsers of these versions read it, each by its own rules; what one of them would drop is refused.
    #[test]
    fn a_value_of_an_environment_file_comes_back_in_every_version(
        text in prop_oneof![corpus::text(), "[ -~\n\t$`\"'\\\\]{0,12}", "[\r\x1b\x7fa$\n]{0,6}"],
        version in 239_u32..=250,
    ) {
        let value = Text::from(text.as_str());
        match EnvFileValue::new(&value, version.into()) {
            Ok(written) => {
                prop_assert_eq!(grammar::environment_value(&written.to_string(), version), Some(text.clone()));
                prop_assert_eq!(environment_file::read(format!("A={written}\n").as_bytes()), [("A".to_owned(), value)]);
                // An export for the oldest is read by all, as long as no line break stands beside what has to be quoted.
                if !(text.contains('\n') && text.contains(['$', '`', '\\'])) {
                    for other in (239..=250).filter(|_| version < 247) {
                        prop_assert_eq!(grammar::environment_value(&written.to_string(), other), Some(text.clone()));
                    }
                }
            }
            Err(refused) => {
                prop_assert!(version < 247, "{}", refused);
                prop_assert!(text.chars().any(|c| c.is_ascii_control() && !"\t\n".contains(c)), "{}", refused);
            }
        }
    }

    #[test]
    fn a_shell_word_comes_back_whatever_its_bytes(text in corpus::bytes()) {
        let word = bytes(&ShellWord::new(&text).unwrap().to_string());
        prop_assert_eq!(Text::from_bytes(grammar::shell_word(&word)), text.clone());
        let word = bytes(&ShellWord::reference(&text, &name("A")).unwrap().to_string());
        prop_assert_eq!(Text::from_bytes(grammar::shell_word(&word)), text.with("<A>"));
    }

    #[test]
    fn a_python_literal_comes_back_whatever_its_bytes(text in corpus::bytes()) {
        let literal = PyStr::new(&text).to_string();
        prop_assert_eq!(Text::from_bytes(grammar::python_literal(&literal)), text);
        prop_assert!(!literal.contains(char::is_control));
    }

    #[test]
    fn arguments_come_back_through_nssm(texts in prop::collection::vec(corpus::text(), 0..6)) {
        let arguments: Vec<_> = texts.iter().map(|text| TargetArg::new(&text.as_str().into()).unwrap()).collect();
        let stored = AppParameters::new(&arguments).unwrap().as_text();
        prop_assert_eq!(grammar::c_runtime(&grammar::expand_windows(stored.as_str().unwrap())), texts.clone());
        // As it is stored, too: what we read of a service is what it was given.
        prop_assert_eq!(command_line::words(&stored), texts.into_iter().map(Text::from).collect::<Vec<_>>());
    }

    #[test]
    fn arguments_come_back_through_a_batch(texts in prop::collection::vec(corpus::text(), 0..6)) {
        let speakable = |text: &str| !text.contains(|c: char| c.is_control() && c != '\t');
        for text in &texts {
            prop_assert_eq!(CmdToken::new(&text.as_str().into()).is_ok(), speakable(text));
        }
        let texts: Vec<_> = texts.into_iter().filter(|text| speakable(text)).collect();
        let tokens: Vec<_> = texts.iter().map(|text| CmdToken::new(&text.as_str().into()).unwrap().to_string()).collect();
        prop_assert_eq!(grammar::c_runtime(&grammar::cmd(&tokens.join(" "))), texts);
    }

    #[test]
    fn a_text_of_yaml_comes_back(text in corpus::text()) {
        prop_assert_eq!(grammar::yaml(&YamlText::new(&text.as_str().into()).unwrap().to_string()), text);
    }

    #[test]
    fn a_path_of_a_batch_comes_back(text in corpus::text()) {
        let path = format!("C:\\{text}");
        if let Ok(quoted) = CmdPath::new(&path.as_str().into()) {
            prop_assert_eq!(grammar::cmd_path(&quoted.to_string()), path);
        }
    }

    #[test]
    fn nssm_keeps_the_values_that_are_not_refused(text in corpus::text()) {
        let entry = NssmEnvironment::new(&[(name("A"), text.as_str().into())]);
        let plain = !text.contains(|c: char| c.is_control() && c != '\t');
        let expanded = grammar::expand_windows(&text.replace(['"', '='], "_"));
        prop_assert_eq!(entry.is_ok(), plain && expanded == text.replace(['"', '='], "_"));
        if let Ok(entry) = entry {
            prop_assert_eq!(entry.entries().collect::<Vec<_>>(), [Text::from(format!("A={text}"))]);
        }
    }
}

#[test]
fn the_corpus_comes_back_too() {
    for text in corpus::NASTY {
        let word = ExecWord::verbatim(&(*text).into()).unwrap().to_string();
        assert_eq!(
            grammar::words(&word, true).iter().map(|word| grammar::specifiers(word)).collect::<Vec<_>>(),
            [*text]
        );
    }
}

#[test]
fn what_systemd_takes_for_broken_text_is_refused_with_the_reason() {
    for raw in corpus::RAW {
        let text = Text::from_bytes(*raw);
        assert!(ExecWord::verbatim(&text).is_err() && ExecWord::expanded(&text).is_err());
        assert!(
            EnvAssignment::new(&name("A"), &text, SystemdVersion::USUAL).is_err()
                && EnvFileValue::new(&text, SystemdVersion::USUAL).is_err()
        );
        let path = Text::from_bytes([b"/srv/", *raw].concat());
        assert!(RawPath::directory(&path).is_err() && PathWord::new(&path).is_err() && GlobPath::new(&path).is_err());
    }
    let said = |fault: Unsayable| fault.to_string();
    assert_eq!(
        said(ExecWord::verbatim(&Text::from_bytes(*b"a\xffb")).unwrap_err()),
        "contains the byte 0xFF, which a systemd unit cannot carry: it must be UTF-8"
    );
    assert_eq!(
        said(EnvFileValue::new(&"\u{fffe}".into(), SystemdVersion::USUAL).unwrap_err()),
        "contains U+FFFE, which a systemd environment file cannot carry: \
         systemd takes text with a Unicode noncharacter for broken UTF-8"
    );
    assert_eq!(
        said(ShellWord::new(&"a\0".into()).unwrap_err()),
        "contains U+0000, which the operating system cannot carry: a text that a process is given ends at the first NUL"
    );
}

#[test]
fn the_path_of_a_program_has_its_own_rule() {
    let written = |path: &str, expanded| ExecPath::new(&path.into(), expanded).map(|path| path.to_string());
    assert_eq!(written("/usr/bin/a b", false).unwrap(), r#":"/usr/bin/a b""#);
    assert_eq!(written("/usr/bin/a b", true).unwrap(), r#""/usr/bin/a b""#);
    assert_eq!(written("/d/$HOME 100%", false).unwrap(), r#":"/d/$HOME 100%%""#);
    assert_eq!(written("/d/$HOME", true).unwrap(), r#"@"/d/$HOME" "/d/$$HOME""#);
    assert_eq!(written("/d//x", false).unwrap(), r#":@"/d//x" "/d//x""#);
    for bad in ["/d/it's", "/d/q\"", "/d/b\\s", "/d/n\nl", "/d/\u{7f}", "/d/x/", "/d/../x", "d/x"] {
        written(bad, false).unwrap_err();
    }
}

#[test]
fn directories_and_files_that_a_raw_line_cannot_end_with() {
    let directory = |path: &str| RawPath::directory(&path.into()).map(|path| path.to_string());
    assert_eq!(directory("/d/trail ").unwrap(), "/d/trail /");
    assert_eq!(directory("/d/bs\\").unwrap(), "/d/bs\\/");
    assert_eq!(directory("/d/\"q\" 50%").unwrap(), "/d/\"q\" 50%%");
    for bad in ["/a\nb", "/a\rb", "/a/../b", "/..", "a", "", "~"] {
        directory(bad).unwrap_err();
    }
    for bad in ["/f ", "/f\t", "/f\\"] {
        RawPath::file(&bad.into()).unwrap_err();
    }
    assert_eq!(GlobPath::new(&"/s/*?[a]\\b%".into()).unwrap().to_string(), "/s/\\*\\?\\[a]\\\\b%%");
    assert!(directory(&format!("/{}", "a".repeat(256))).is_err() && directory(&"/a".repeat(2048)).is_err());
}

#[test]
fn a_description_that_ends_with_a_backslash_does_not_swallow_the_next_line() {
    let written = |text: &str| Description::new(&text.parse().unwrap()).unwrap().to_string();
    assert_eq!(written("50% \\"), "50%% \\%i");
    assert_eq!(written("%n"), "%%n");
}

#[test]
fn an_account_is_a_name_that_no_shell_takes_for_more() {
    for good in ["joe", "1000", "svc_a-b.c", "joe@example.org", "HOST$", "DOMAIN\\joe", "jürgen"] {
        assert_eq!(Account::new(good).unwrap().to_string(), good);
    }
    for bad in ["", "-joe", "a b", "a/b", "a:b", "a*", "a\nb", "a%u", "a;b", "a\\", ".."] {
        Account::new(bad).unwrap_err();
    }
}

#[test]
fn a_further_setting_is_one_line() {
    let line = |key: &str, value: &str| DirectiveLine::new(&KnownDirective::find(key).unwrap().with(value).unwrap());
    assert_eq!(line("LimitNOFILE", "5").unwrap().to_string(), "LimitNOFILE=5");
    assert_eq!(line("ExecStartPre", "").unwrap().to_string(), "ExecStartPre=");
    // systemd would not load a unit that holds it.
    line("ExecStartPre", "/bin/echo \u{fffe}").unwrap_err();
    line("ExecStartPre", &format!("/bin/echo {}", "x".repeat(1 << 20))).unwrap_err();
}

#[test]
fn plain_environment_files_are_read_like_systemd_reads_them() {
    let read = |text: &str| {
        environment_file::read(text.as_bytes())
            .into_iter()
            .map(|(name, value)| format!("{name}|{value}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(read("KAFKA_HOST=broker:9092\nPW=a#b c \n"), ["KAFKA_HOST|broker:9092", "PW|a#b c"]);
    assert_eq!(read("# no\n; no\n\n A = 1 \r\nB='x y'\nC=\"a\"'b'c\n"), ["A|1", "B|x y", "C|abc"]);
    assert_eq!(read("A=\nB=\"\"\nC=x\\\ny\nD=\"\\n\\$\""), ["A|", "B|", "C|xy", "D|\\n$"]);
    assert_eq!(read("A=1\nB=2\nA=3"), ["A|3", "B|2"]);
    assert_eq!(read("# swallows \\\nA=1\nB=2"), ["B|2"]);
    assert_eq!(read("no equals sign\nA=it's"), ["A|it's"]);
}

#[test]
fn windows_examples() {
    let argument = |text: &str| TargetArg::new(&text.into()).unwrap().to_string();
    assert_eq!(argument("a%PATH%b c"), r#""a"%"PATH"%"b c""#);
    assert_eq!(argument("x\\%"), r#""x\\"%"""#);
    assert_eq!(argument(""), r#""""#);
    assert_eq!(argument(r#"say "hi"\"#), r#""say \"hi\"\\""#);
    assert_eq!(CmdToken::new(&"a & 50% !".into()).unwrap().to_string(), r#"^"a ^& 50%% ^!^""#);

    let long = TargetArg::new(&"x".repeat(AppParameters::MAX - 2).into()).unwrap();
    assert!(AppParameters::new(std::slice::from_ref(&long)).is_ok());
    assert!(AppParameters::new(&[long, TargetArg::new(&"".into()).unwrap()]).is_err());

    let nssm = CmdPath::new(&r"C:\nssm 2\nssm.exe".into()).unwrap();
    let words = CmdPath::new(&r"C:\50%\words.txt".into()).unwrap();
    let line = |argument: &str| CmdLine::new(&nssm, &[CmdToken::new(&argument.into()).unwrap()], &words);
    assert_eq!(line("set").unwrap().to_string(), r#""C:\nssm 2\nssm.exe" ^"set^" >"C:\50%%\words.txt" 2>&1"#);
    assert!(line(&"x".repeat(8000)).is_err());

    NssmPath::new(&r"C:\100%\x".into()).unwrap();
    for bad in [r"C:\%a%\x", "C:\\a\"b", "C:\\a\nb", "C:\\a\u{ffff}"] {
        NssmPath::new(&bad.into()).unwrap_err();
    }
    NssmPath::program(&r"C:\x.exe".into()).unwrap();
    for batch in [r"C:\x.BAT", r"C:\x.cmd. ."] {
        NssmPath::program(&batch.into()).unwrap_err();
    }
}

/// In WTF-8, as Windows gives them to us.
#[test]
fn a_lone_surrogate_reaches_the_program_but_no_batch() {
    let lone = Text::from_bytes(*b"a\xed\xa0\x80%\\");
    let stored = AppParameters::new(&[TargetArg::new(&lone).unwrap()]).unwrap().as_text();
    assert_eq!(stored, Text::from_bytes(*b"\"a\xed\xa0\x80\"%\"\\\\\""));
    let variable = NssmEnvironment::new(&[(name("A"), lone.clone())]).unwrap();
    assert_eq!(variable.entries().collect::<Vec<_>>(), [Text::from_bytes(*b"A=a\xed\xa0\x80%\\")]);
    NssmPath::new(&lone).unwrap();
    CmdPath::new(&lone).unwrap_err();
    assert_eq!(
        CmdToken::new(&lone).unwrap_err().to_string(),
        "contains a lone surrogate, which a command batch cannot carry: it is UTF-8, which has none"
    );
    // One unit each: the longest that fits has 16382 of them, two of which are the quotes.
    let many = |count| TargetArg::new(&Text::from_bytes(b"\xed\xb0\x80".repeat(count))).unwrap();
    assert!(AppParameters::new(&[many(AppParameters::MAX - 2)]).is_ok());
    assert!(AppParameters::new(&[many(AppParameters::MAX - 1)]).is_err());
    for broken in [&b"a\xff"[..], b"\xed\xa0", b"\xed\xa0\x80\xed\xb0\x80"] {
        TargetArg::new(&Text::from_bytes(broken)).unwrap_err();
    }
    TargetArg::new(&Text::from_bytes(*b"\xed\xa0\x80-\xed\xb0\x80")).unwrap();
    // What surrogates are folded into is itself kept.
    let private = Text::from("\u{10ffed}\u{10ffa0}\u{10ff80}");
    assert_eq!(
        AppParameters::new(&[TargetArg::new(&private).unwrap()]).unwrap().as_text().to_string(),
        format!("\"{private}\"")
    );
    assert_eq!(CmdToken::new(&private).unwrap().to_string(), format!("^\"{private}^\""));
    assert_eq!(CmdPath::new(&private).unwrap().to_string(), format!("\"{private}\""));
}

#[test]
fn nssm_has_room_for_one_empty_value_and_it_goes_last() {
    let variables = |list: &[(&str, &str)]| {
        let list: Vec<_> = list.iter().map(|(key, value)| (name(key), Text::from(*value))).collect();
        NssmEnvironment::new(&list)
            .map(|environment| environment.entries().map(|entry| entry.to_string()).collect::<Vec<_>>())
            .map_err(|faults| faults.into_iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(variables(&[("A", ""), ("B", "2%")]).unwrap(), ["B=2%", "A="]);
    assert_eq!(variables(&[("A", ""), ("B", ""), ("C", "%D%"), ("E", "a\nb")]).unwrap_err(), ["B", "C", "E"]);
}
