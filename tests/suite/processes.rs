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
    let ran = import("Procfile", "web: run\n").file(".env", "A=b # c\\d\nPORT=80\nAPI_TOKEN=x\\y\n").run();
    let service = services(&ran).remove(0);
    assert_eq!((service.environment_file, service.secrets), (None, vec!["API_TOKEN".to_owned()]));
    assert_eq!(service.environment["A"].to_string(), "b # c\\d");
    assert_eq!(service.environment["PORT"].to_string(), "80");
    assert!(!ran.stdout.contains("x\\"), "{}", ran.stdout);
    assert!(ran.stderr.contains("its secrets, such as `API_TOKEN`, are named"), "{}", ran.stderr);
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
