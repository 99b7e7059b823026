//! Our readers of Python's dialects against a real Python: numbers, patterns and INI files. Each test
//! lets Python make up a few thousand texts, always the same ones, and say what it thinks of them.

use std::collections::BTreeMap;
use std::process::Command;

use install_service::catalog::{ArgKind, config_file};
use serde_json::Value;

/// What the script's last expression, a list, is in JSON.
fn ask(script: &str) -> Vec<(String, Value)> {
    let output = Command::new("python3").args(["-W", "ignore", "-c", script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<(String, Value)> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(answers.len() > 1000);
    answers
}

#[test]
#[ignore = "needs python3: tests/run"]
fn numbers_are_those_python_reads() {
    let script = r#"
import json, math, random
def reads(convert, text):
    try: return math.isfinite(convert(text)) or None
    except OverflowError: return True
    except ValueError: return False
random.seed(1)
texts = ["".join(random.choice("0012_+-. eE") for _ in range(random.randint(0, 6))) for _ in range(20000)]
def judge(text):
    return {"int": reads(int, text), "float": reads(float, text) and (float(text) >= 0) and math.isfinite(float(text))}
print(json.dumps([(text, judge(text)) for text in texts]))
"#;
    for (text, answer) in ask(script) {
        for (kind, key) in [(ArgKind::Int, "int"), (ArgKind::PositiveFloat, "float")] {
            let ours = kind.check(&text).is_ok();
            assert_eq!(Value::Bool(ours), Value::Bool(answer[key] == Value::Bool(true)), "{kind} {text:?}");
        }
    }
}

/// What Python takes, we take. What it refuses we may take, too; how much of it is printed.
#[test]
#[ignore = "needs python3: tests/run"]
fn no_pattern_python_takes_is_refused() {
    let script = r#"
import json, random, re
random.seed(2)
words = list("ab01(){}[]|*+?.^$-,:=!<>#P&~ ") + [
    "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?P<n>", "(?P=n)", "(?#", "(?i)", "(?x)", "(?s:", "(?(1)", "[^", "[]",
    "\\d", "\\b", "\\Z", "\\A", "\\1", "{2}", "{1,2}", "{,3}", "[a-z]", "[[]", "\\u0041", "\\x41", "*?", "++", "(?>",
    "\\N{DIGIT ONE}", "\\", "\n", "ä"]
def compiles(pattern):
    try: return bool(re.compile(pattern))
    except Exception: return False
patterns = ["".join(random.choice(words) for _ in range(random.randint(1, 8))) for _ in range(50000)]
print(json.dumps([(pattern, compiles(pattern)) for pattern in patterns]))
"#;
    let (mut wrong, mut caught) = (0, 0);
    for (pattern, compiles) in ask(script) {
        let ours = ArgKind::Regex.check(&pattern);
        if compiles == Value::Bool(true) {
            assert_eq!(ours, Ok(()), "{pattern:?}");
        } else {
            wrong += 1;
            caught += usize::from(ours.is_err());
        }
    }
    println!("{caught} of {wrong} faulty patterns refused");
    assert!(caught * 3 > wrong * 2, "the check has lost its teeth: {caught} of {wrong}");
}

#[test]
#[ignore = "needs python3: tests/run"]
fn ini_files_are_read_as_configparser_reads_them() {
    let script = r##"
import configparser, io, json, random
random.seed(3)
words = ["[a]", "[b]", "[DEFAULT]", "[", "]", "x", "Y", "=", ":", " = ", "1", "$V", "#", ";", " ", "  ", "\t", "\n", "\n",
    "\n", "\n ", "\r\n", "\r", "\u00a0", "\u001c", "\u0085", "ä", "\\", '"', "%", "[a]\nx=", "\ny:"]
def read(text):
    parser = configparser.RawConfigParser()
    try: parser.read_file(io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))
    except configparser.Error: return None
    return {section: dict(parser._sections.get(section, parser._defaults)) for section in ["DEFAULT", *parser.sections()]}
texts = ["[a]\n"[: random.choice([0, 4])] + "".join(random.choice(words) for _ in range(random.randint(1, 16))) for _ in range(50000)]
print(json.dumps([(text, read(text)) for text in texts]))
"##;
    for (text, answer) in ask(script) {
        let ours = match config_file::read(&text) {
            Err(_) => Value::Null,
            Ok(file) => {
                let mut sections: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
                for setting in file.settings {
                    sections.entry(setting.section).or_default().insert(setting.key, setting.value);
                }
                serde_json::to_value(sections).unwrap()
            }
        };
        assert_eq!(ours, without_empty_sections(answer), "{text:?}");
    }
}

fn without_empty_sections(mut answer: Value) -> Value {
    if let Value::Object(sections) = &mut answer {
        sections.retain(|_, settings| settings.as_object().is_some_and(|settings| !settings.is_empty()));
    }
    answer
}
