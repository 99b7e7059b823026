//! What we read out of the INI files that programs are configured with.

use install_service::catalog::config_file::{self, ConfigFile};
use proptest::prelude::*;

fn read(text: &str) -> ConfigFile {
    config_file::read(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// `section.key=value` of every setting.
fn settings(text: &str) -> Vec<String> {
    read(text).settings.iter().map(|s| format!("{}.{}={}", s.section, s.key, s.value)).collect()
}

#[test]
fn the_dialect_is_that_of_configparser() {
    for (text, expected) in [
        ("", vec![]),
        ("# nothing\n\n; here\n", vec![]),
        ("[a]\nx=1", vec!["a.x=1"]),
        ("[a]\r\nx : 1\r\ny=2\r\n", vec!["a.x=1", "a.y=2"]),
        ("[a]\rx=1\r", vec!["a.x=1"]),
        ("[a]\nx=1=2:3", vec!["a.x=1=2:3"]),
        ("[a]\nx: 1=2", vec!["a.x=1=2"]),
        ("[a]\nUPPER.Case = Value", vec!["a.upper.case=Value"]),
        ("[a]\nx =\ny = 2", vec!["a.x=", "a.y=2"]),
        ("[a]\nx = 1 ; no comment # none", vec!["a.x=1 ; no comment # none"]),
        ("[a]\nx = one\n  two\n\n  three\n\ny=2", vec!["a.x=one\ntwo\n\nthree", "a.y=2"]),
        ("[a]\nx = one\n  # left out\n  y=two", vec!["a.x=one\ny=two"]),
        ("[a]\n  x = 1\n  y = 2\n z = 3", vec!["a.x=1", "a.y=2", "a.z=3"]),
        ("[a]\nx=1\n  [b]\ny=2", vec!["a.x=1\n[b]", "a.y=2"]),
        ("[a] ignored\nx=1", vec!["a.x=1"]),
        ("[a]b]\nx=1", vec!["a]b.x=1"]),
        ("[DEFAULT]\nx=1\n[a]\nx=2\n[DEFAULT]\ny=3", vec!["DEFAULT.x=1", "a.x=2", "DEFAULT.y=3"]),
        ("[a]\npath = C:\\new\\temp \"quoted\"", vec!["a.path=C:\\new\\temp \"quoted\""]),
        ("[ä]\nß = \u{a0}µ\u{a0}", vec!["ä.ß=µ"]),
    ] {
        assert_eq!(settings(text), expected, "{text:?}");
    }
}

#[test]
fn faults_name_line_and_text() {
    for (text, expected) in [
        ("x=1", "line 1: `x=1` stands before the first `[section]`"),
        ("\n[]\n", "line 2: `[]` stands before the first `[section]`"),
        ("\u{feff}[a]\nx=1", "line 1: the file begins with a byte order mark; save it as UTF-8 without one"),
        ("[a]\nx\n", "line 2: `x` has no `=` and no value"),
        ("[a]\n\n = 1\n", "line 3: `= 1` has no key"),
        ("[a]\nx=1\nX=2", "line 3: `x` is there twice in the section `[a]`"),
        ("[DEFAULT]\nx=1\n[DEFAULT]\nx=2", "line 4: `x` is there twice in the section `[DEFAULT]`"),
        ("[a]\nx=1\n[a]\ny=1", "line 3: the section `[a]` is there twice"),
    ] {
        assert_eq!(config_file::read(text).unwrap_err().to_string(), expected, "{text:?}");
    }
}

#[test]
fn variables_are_those_python_would_expand() {
    let file = read(
        "[DEFAULT]\nhome = $HOME_DIR\n\
         [broker]\nbootstrap.servers = $HOST:$PORT,${OTHER}\nsasl.password = $PASSWORD\n\
         sasl.username = user$NOT_THIS\nprice = 5$\nodd = $\nempty = ${}\nopen = ${OPEN\n\
         [s3]\nsecret = $PASSWORD\nkey = $KEY-1\n",
    );
    assert_eq!(file.variables(), ["HOME_DIR", "HOST", "PORT", "OTHER", "PASSWORD", "KEY"]);
}

#[test]
fn relative_paths_are_found() {
    for setting in [
        "ssl.ca.location = ca.pem",
        "ssl.ca.location = certs/ca",
        "ssl.keystore.location = client.jks",
        "anything = ./x",
        "anything = ../x",
        "anything = ..",
        "anything = .\\x",
        "anything = ~/x",
        "anything = certs/ca.pem",
        "anything = certs\\ca.pem",
        "anything = data/raw/",
        "anything = client.p12",
        "config_file = file#node.config",
        "log_file = run.log",
        "log_file = my logs/run.log",
        "data_dir = data",
        "cache-directory = cache",
        "plugin.library.paths = monitoring-interceptor",
        "ssl_cafile = ca",
        "sasl.kerberos.keytab = service.keytab",
        "list = /absolute/one\n  relative/two.csv",
    ] {
        let text = format!("[a]\n{setting}\n");
        assert_eq!(read(&text).relative_paths().count(), 1, "{setting}");
    }
}

#[test]
fn other_values_are_left_alone() {
    for setting in [
        "ssl.ca.location = /etc/ssl/ca.pem",
        "ssl.ca.location = C:\\certs\\ca.pem",
        "ssl.ca.location = d:/certs/ca.pem",
        "ssl.ca.location = \\\\server\\share\\ca.pem",
        "ssl.ca.location = probe",
        "ssl.ca.location = $CA_FILE",
        "location = laboratory 2",
        "location = westeurope",
        "config_file = file#/etc/node.config",
        "log_dir =",
        "log_dir = %(base)s/logs",
        "use_path = true",
        "max_file = 10",
        "value.serializer = StringSerializer",
        "value.deserializer = org.apache.kafka.StringDeserializer",
        "topic.name = lab.data.raw_files-1",
        "record = record.key",
        "bootstrap.servers = broker-1.example.org:9092,broker-2.example.org:9092",
        "endpoint_url = https://s3.example.org/bucket/data.csv",
        "girder = example.org/api/v1.json",
        "files = raw/*.csv",
        "glob = data/**/file.txt",
        "content = application/json",
        "zone = Europe/Berlin",
        "ratio = 1/2",
        "date = 2024/01/31",
        "network = 10.0.0.0/8",
        "version = 1.8.8",
        "unit = km/h",
        "user = DOMAIN\\user",
        "aws_profile = lab",
        "text = see the file notes.txt / readme.txt for more",
        "regex = ^(?!\\.).*\\.log$",
        "linger.ms = 100",
        "level = 1e5",
        "enable.auto.commit = False",
    ] {
        let text = format!("[a]\n{setting}\n");
        let found: Vec<_> = read(&text).relative_paths().map(|s| s.value.clone()).collect();
        assert_eq!(found, [""; 0], "{setting}");
    }
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in r"(?s)([\[\]=:#;$%{}./\\~ \t\r\n]|[a-zA-Zß\u{a0}\u{1c}]|\PC){0,60}") {
        if let Ok(file) = config_file::read(&text) {
            file.variables();
            file.relative_paths().count();
        }
    }

    #[test]
    fn arbitrary_values_never_panic(key in r"[a-z_.]{1,12}(file|location|path)?", value in r"\PC{0,40}") {
        if let Ok(file) = config_file::read(&format!("[a]\n{key}={value}\n")) {
            file.variables();
            file.relative_paths().count();
        }
    }
}
