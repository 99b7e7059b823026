//! What docs/fleet.md says of Salt, applied by the real one without a master to a booted host.

use std::path::Path;

use serde_json::Value;

use crate::page::{TOKEN, block, export, host, is_as_promised, write};
use crate::support::host::Host;

/// Applies the snippet; gives the states that changed something.
#[track_caller]
fn apply(host: &Host, folder: &Path) -> Vec<String> {
    let program = std::env::var("SALT_CALL").expect("SALT_CALL: tests/run fleet sets it");
    let text = host.sh(&format!(
        "{program} --local --config-dir={} --out=json --log-level=quiet state.apply services",
        folder.join("config").display()
    ));
    assert!(!text.contains("or$d"), "a secret is shown:\n{text}");
    let answer: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let states = answer["local"].as_object().unwrap_or_else(|| panic!("{text}"));
    assert!(states.values().all(|state| state["result"] == true), "{text}");
    let changed =
        states.values().filter(|state| state["changes"].as_object().is_some_and(|changes| !changes.is_empty()));
    let mut changed: Vec<String> = changed.map(|state| state["__id__"].as_str().expect("an id").to_owned()).collect();
    changed.sort();
    changed
}

#[test]
#[ignore = "needs root, a booted systemd and Salt: tests/run fleet"]
fn the_snippet_of_the_page_installs_once_and_keeps_it_so() {
    let (host, folder) = host();
    let folder = folder.path();
    let at = |path: &str| folder.join(path).display().to_string();
    let tree = folder.join("states/services/tree");
    write(&folder.join("states/services/init.sls"), block("yaml", "file.recurse"));
    write(&folder.join("pillar/top.sls"), "base: {'*': [secrets]}\n");
    // A pillar is a template, too.
    let token = serde_json::to_string(TOKEN).unwrap();
    write(&folder.join("pillar/secrets.sls"), format!("#!yaml\nuploader_token: {token}\n"));
    write(
        &folder.join("config/minion"),
        format!(
            "file_client: local\nid: local\nroot_dir: {}\nfile_roots: {{base: [{}]}}\npillar_roots: {{base: [{}]}}\n\
             enable_fqdns_grains: false\n",
            at("run"),
            at("states"),
            at("pillar"),
        ),
    );

    export(&tree, "date");
    let first = apply(&host, folder);
    assert_eq!(
        first,
        [
            "/etc/systemd/system",
            "/var/lib/install-service",
            "/var/lib/install-service/uploader_env_vars.txt",
            "uploader",
        ]
    );
    is_as_promised(&host, "date");
    let pid = host.pid("uploader");
    assert_eq!(apply(&host, folder), [""; 0]);
    assert_eq!(host.pid("uploader"), pid);

    // What somebody has changed is put right, and a new export restarts the service.
    host.sh("echo '# edited' >> /etc/systemd/system/uploader.service; chmod 0644 /var/lib/install-service/uploader_env_vars.txt");
    assert!(!apply(&host, folder).is_empty());
    is_as_promised(&host, "date");
    export(&tree, "uptime");
    assert!(apply(&host, folder).contains(&"uploader".to_owned()));
    is_as_promised(&host, "uptime");
    assert_eq!(apply(&host, folder), [""; 0]);
}
