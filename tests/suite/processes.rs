//! `InstallService import` of what other programs run services by: Procfiles, and pm2's `ecosystem.config` in JSON.

use install_service::manifest::{Arguments, Manifest, Request};

use crate::support::{Ran, Test};

fn import(file: &str, contents: &str) -> Test {
    Test::install().file(file, contents).args(["import", file])
}

fn services(ran: &Ran) -> Vec<Request> {
    Manifest::parse(&ran.stdout, "it").unwrap_or_else(|error| panic!("{error}\n{}", ran.stdout)).service
}

fn runs(service: &Request) -> Vec<String> {
    let Arguments::List(words) = &service.arguments else { panic!("a list") };
    service.executable.iter().chain(words).map(ToString::to_string).collect()
}

#[test]
fn each_process_of_a_procfile_is_a_service() {
    let ran = import("shop/Procfile", "web: bundle exec puma -p $PORT\n# jobs\nworker: bundle exec sidekiq\n")
        .file("shop/.env", "RAILS_ENV=production\nTOKEN='a b'\n")
        .run();
    let services = services(&ran);
    let names: Vec<_> = services.iter().filter_map(|service| service.name.as_deref()).collect();
    assert_eq!(names, ["shop-web", "shop-worker"]);
    assert_eq!(runs(&services[0]), ["/bin/sh", "-c", "exec bundle exec puma -p $PORT"]);
    assert_eq!(runs(&services[1]), ["bundle", "exec", "sidekiq"]);
    assert_eq!(services[1].environment["PORT"].to_string(), "5100");
    for service in &services {
        assert_eq!(service.working_directory, Some("[TMP]/shop".into()));
        assert_eq!(service.environment_file, Some("[TMP]/shop/.env".into()));
    }
    assert!(!ran.stdout.contains("a b"), "values stay in their file: {}", ran.stdout);
}

#[test]
fn a_file_of_variables_that_systemd_reads_otherwise_is_taken_apart() {
    let env = "A=b # c\\d\nPORT=80\nAPI_TOKEN=x\\y\n";
    let ran = import("Procfile", "web: run\n").file(".env", env).run();
    let service = services(&ran).remove(0);
    assert_eq!((service.environment_file, service.secrets), (None, vec!["API_TOKEN".to_owned()]));
    assert_eq!(service.environment["A"].to_string(), "b # c\\d");
    assert_eq!(service.environment["PORT"].to_string(), "80");
    assert!(!ran.stdout.contains("x\\"), "{}", ran.stdout);
    let said = "systemd would read other values in `[TMP]/.env`, so its variables stand in the manifest, of secrets such as \
                `API_TOKEN` the names";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}

#[test]
fn a_port_of_the_file_of_variables_is_that_of_the_first_process() {
    // Of a name that is there twice the last line counts.
    let ran = import("Procfile", "web: run\njob: run\n").file(".env", "PORT=1\nA=b\nPORT=80\n").run();
    let services = services(&ran);
    assert!(services[0].environment_file.is_some() && services[0].environment.is_empty(), "{}", ran.stdout);
    assert_eq!(services[1].environment_file, None);
    assert_eq!(services[1].environment["A"].to_string(), "b");
    assert_eq!(services[1].environment["PORT"].to_string(), "180");
    let said = "note: Procfile:2: the `PORT` in `[TMP]/.env` is that of the first process alone, so its variables stand in \
                the manifest\n";
    assert_eq!(ran.stderr, said);
}

#[test]
fn a_file_of_variables_that_is_no_text_keeps_its_bytes() {
    let ran = import("Procfile", "web: run\n").file(".env", b"A=\xff b\nB=1\n".as_slice()).run();
    let service = services(&ran).remove(0);
    assert_eq!(service.environment_file, None);
    assert_eq!(service.environment["A"].as_bytes(), b"\xff b");
    assert!(ran.stderr.contains("systemd would read other values in"), "{}", ran.stderr);
}

/// A manifest has each name once.
#[test]
fn names_that_clash_are_named() {
    let text = r#"[{"name": "my app", "script": "./a.sh"}, {"name": "my-app", "script": "./b.sh"},
        {"name": "x", "script": "./c.sh", "instances": 2}, {"name": "x-1", "script": "./d.sh"}]"#;
    let ran = import("e.json", text)
        .status(10)
        .stderr(
            "not the same: my-app-2: another one before it is called `my-app`, too, so this one has a new name\n\
             not the same: x-1-2: another one before it is called `x-1`, too, so this one has a new name\n",
        )
        .run();
    let each = Manifest::parse(&ran.stdout, "it").unwrap().services();
    let names: Vec<_> = each.iter().filter_map(|service| service.name.as_deref()).collect();
    assert_eq!(names, ["my-app", "my-app-2", "x-0", "x-1", "x-1-2"]);
    let ran = import("./--/Procfile", "x: run\n-x: run\n").status(10).run();
    assert_eq!(services(&ran).iter().filter_map(|service| service.name.as_deref()).collect::<Vec<_>>(), ["x", "x-2"]);
}

#[test]
fn a_line_that_says_no_process_is_named() {
    import("Procfile", "web: run\nno process\n")
        .status(10)
        .stderr("left out: Procfile:2: must be `NAME: COMMAND`, and is passed over by foreman and honcho, too\n")
        .run();
    import("Procfile", "# nothing\n").status(2).stderr_contains("there is nothing to run in it").run();
}

#[test]
fn an_application_of_pm2_is_a_service() {
    let text = r#"{"apps": [{
        "name": "api", "script": "./server.js", "args": "--port 80 'a b'", "cwd": "/srv/api",
        "env": {"NODE_ENV": "production", "N": 3}, "interpreter_args": ["--x"], "restart_delay": 3000,
        "kill_timeout": 5000, "out_file": "out.log", "error_file": "/dev/null", "autorestart": false, "uid": "www"
    }]}"#;
    let ran = import("ecosystem.json", text).stderr("").run();
    let service = services(&ran).remove(0);
    assert_eq!(runs(&service), ["node", "--x", "/srv/api/server.js", "--port", "80", "a b"]);
    assert_eq!((service.restart.as_deref(), service.account.as_deref()), (Some("never"), Some("www")));
    for line in [
        "restart_sec = \"3000ms\"",
        "stop_timeout = \"5000ms\"",
        "StandardOutput = \"append:/srv/api/out.log\"",
        "StandardError = \"null\"",
        "KillSignal = \"SIGINT\"",
        "NODE_ENV = \"production\"",
        "N = \"3\"",
    ] {
        assert!(ran.stdout.lines().any(|known| known == line), "{line}\n{}", ran.stdout);
    }
}

#[test]
fn what_a_service_cannot_have_of_pm2_is_named_with_its_line() {
    let text = "{\"apps\": [{\"script\": \"a.js\",\n\"instances\": 2, \"exec_mode\": \"cluster\",\n\"watch\": true,\n\
                \"cron_restart\": \"0 0 * * *\", \"env_production\": {}, \"env\": {\"A\": \"{instance}\"}}]}";
    let ran = import("ecosystem.json", text).status(10).run();
    for said in [
        "not the same: ecosystem.json:2: `exec_mode: \"cluster\"`: services do not share a port",
        "not the same: ecosystem.json:3: `watch: true`: a service is not started again when files change",
        "not the same: ecosystem.json:4: `cron_restart: \"0 0 * * *\"`: a service is not started again at a time",
        "not the same: ecosystem.json:4: `env_production`: pm2 takes it with `--env` alone",
    ] {
        assert!(ran.stderr.contains(said), "{said}\n{}", ran.stderr);
    }
    // Each has the number that pm2 gives it, and all else as it was.
    let services = Manifest::parse(&ran.stdout, "it").unwrap().services();
    assert_eq!(services.iter().filter_map(|service| service.name.as_deref()).collect::<Vec<_>>(), ["a-0", "a-1"]);
    assert_eq!(services[1].environment["NODE_APP_INSTANCE"].to_string(), "1");
    assert_eq!(services[1].environment["A"].to_string(), "{instance}");
}

/// Whatever type a key has: it is carried, or named with its line.
#[test]
fn no_key_of_pm2_is_lost_in_silence() {
    for (key, value, said) in [
        ("args", "5", "`args: 5`: must be text, or a list of words"),
        ("args", "[\"a\", {}]", "`args`: must be text, or a list of words"),
        ("args", "{\"a\": 1}", "`args`: must be text, or a list of words"),
        ("cwd", "[\"/srv\"]", "`cwd`: must be text"),
        ("cwd", "\"~/x\"", "`cwd: \"~/x\"`: `~` is the home directory of whoever calls pm2"),
        ("env", "\"A=1\"", "`env: \"A=1\"`: must be a table of variables"),
        ("uid", "true", "`uid: true`: must be text"),
        ("gid", "{}", "`gid`: must be text"),
        ("name", "{}", "`name`: must be text"),
        ("interpreter", "[]", "`interpreter`: must be text"),
        ("interpreter", "\"node@18\"", "`interpreter: \"node@18\"`: pm2 takes this version from nvm"),
        ("node_args", "7", "`node_args: 7`: must be text, or a list of words"),
        ("out_file", "[]", "`out_file`: must be text"),
        ("merge_logs", "1", "`merge_logs: 1`: must be true or false"),
        ("autorestart", "\"no\"", "`autorestart: \"no\"`: must be true or false"),
        ("exec_mode", "\"both\"", "`exec_mode: \"both\"`: must be `fork` or `cluster`"),
        ("stop_exit_codes", "[\"x\"]", "`stop_exit_codes`: must be a list of exit codes"),
        ("pid_file", "\"x.pid\"", "`pid_file: \"x.pid\"`: systemd knows the process without a file"),
        ("increment_var", "\"N\"", "`increment_var: \"N\"`: a manifest does not count up a variable"),
        ("from_tomorrow", "1", "`from_tomorrow: 1`: InstallService does not know this key of pm2"),
    ] {
        let text = format!("{{\"script\": \"a.js\",\n\"{key}\": {value}}}");
        let ran = import("e.json", &text).status(10).run();
        assert!(ran.stderr.starts_with(&format!("not the same: e.json:2: {said}")), "{key}: {said}\n{}", ran.stderr);
    }
    // What says nothing is nothing.
    let text = "{\"script\": \"a.js\", \"args\": null, \"watch\": false, \"cron_restart\": 0, \"wait_ready\": false}";
    import("e.json", text).stderr("").run();
}

#[test]
fn keys_of_pm2_mean_what_they_mean_there() {
    for (keys, lines) in [
        (r#""exec": "a.js""#, &["executable = \"node\""][..]),
        (
            r#""command": "python3 x.py --ok", "name": "x""#,
            &["executable = \"bash\"", "    \"-c\",", "    \"python3 x.py --ok\","],
        ),
        (r#""script": "my.app.js""#, &["name = \"my.app\""]),
        (r#""script": "a.js", "port": 80, "env": {"PORT": 1}"#, &["PORT = \"80\""]),
        (
            r#""script": "a.js", "env": {"A": {"b": [1.0, null]}, "B": 2.0}"#,
            &[r#"A = '{"b":[1.0,null]}'"#, "B = \"2\""],
        ),
        (r#""script": "a.js", "user": 1000"#, &["account = \"1000\""]),
        (r#""script": "a.js", "log_file": "/a.log""#, &["log_file = \"/a.log\""]),
        (r#""script": "a.js", "out": "x.log", "err_log": "/srv/x.log", "cwd": "/srv""#, &["log_file = \"/srv/x.log\""]),
        (r#""script": "a.js", "out_file": "/dev/null", "error": "NULL""#, &["log_file = false"]),
        (r#""script": "a.js", "disable_logs": true"#, &["log_file = false"]),
        (r#""script": "a.js", "output": "/a""#, &["StandardOutput = \"append:/a\"", "StandardError = \"journal\""]),
        (r#""script": "a.js", "autostart": false"#, &["at_boot = false"]),
        (r#""script": "a.js", "treekill": false"#, &["KillMode = \"process\""]),
        (r#""script": "a.js", "stop_exit_codes": [0, 3]"#, &["RestartPreventExitStatus = \"0 3\""]),
        (r#""script": "a.js", "instances": 2, "instance_var": "N""#, &["N = \"{instance}\""]),
    ] {
        let ran = import("e.json", &format!("{{{keys}}}")).run();
        for line in lines {
            assert!(ran.stdout.lines().any(|known| known == *line), "{keys}: {line}\n{}", ran.stdout);
        }
    }
    for (keys, said) in [
        (
            r#""script": "/bin/x", "interpreter": "none", "node_args": ["--y"]"#,
            "`node_args`: no interpreter runs the script",
        ),
        (r#""script": "a b", "args": ["c"]"#, "`args`: pm2 runs a script with blanks by `bash -c`"),
        (r#""script": "x.ts""#, "`script: \"x.ts\"`: what runs it depends on the release of pm2"),
        (
            r#""script": "a.js", "log_file": "/a", "out_file": "/b""#,
            "`log_file: \"/a\"`: a service writes each output to one file",
        ),
        (
            r#""script": "a.js", "instances": 2, "out_file": "/b""#,
            "`out_file: \"/b\"`: each instance has a file of its own",
        ),
        (r#""script": "a.js", "uid": "a", "user": "b""#, "`user: \"b\"`: `uid` says it, too"),
    ] {
        let ran = import("e.json", &format!("{{{keys}}}")).status(10).run();
        assert!(ran.stderr.contains(&format!("not the same: e.json:1: {said}")), "{keys}: {said}\n{}", ran.stderr);
    }
}

#[test]
fn a_secret_of_pm2_is_pointed_out() {
    let ran = import("e.json", "{\"script\": \"a.js\",\n\"env\": {\"DB_PASSWORD\": \"hunter2\"}}").run();
    assert!(ran.stderr.contains("e.json:2: the value of `DB_PASSWORD` looks like a secret"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

#[test]
fn the_form_of_javascript_is_refused_with_what_makes_the_other_one() {
    let test = import("ecosystem.config.js", "module.exports = {}\n").status(2).stdout("");
    test.stderr_contains("`node -p 'JSON.stringify(require(\"./ecosystem.config.js\"))' > ecosystem.json`").run();
    import("e.json", "{").status(2).stderr_contains("this is not JSON").run();
}
