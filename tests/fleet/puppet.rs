//! What docs/fleet.md says of Puppet, applied by Debian's `puppet apply` to a booted host.

use std::path::Path;

use crate::page::{TOKEN, block, export, host, is_as_promised, write};
use crate::support::host::Host;

/// Applies the snippet, and gives Puppet's exit code: 0 nothing had to be done, 2 something was, 4 and 6 something failed
/// (`--detailed-exitcodes` of puppet-apply(8)).
fn apply(host: &Host, folder: &Path) -> (String, String) {
    let said = host.sh(&format!(
        "cd {} && puppet apply --detailed-exitcodes --color=false --modulepath=modules --hiera_config=hiera.yaml site.pp 2>&1; \
         echo $?",
        folder.display()
    ));
    let (text, code) = said.trim_end().rsplit_once('\n').unwrap_or(("", said.trim_end()));
    assert!(!text.contains("pa\"ss") && !text.contains("or$d"), "a secret is shown:\n{text}");
    (code.to_owned(), text.to_owned())
}

#[test]
#[ignore = "needs root, a booted systemd and Puppet: tests/run fleet"]
fn the_snippet_of_the_page_installs_once_and_keeps_it_so() {
    let (host, folder) = host();
    let folder = folder.path();
    let tree = folder.join("modules/services/files");
    write(&folder.join("site.pp"), block("puppet", "uploader"));
    write(
        &folder.join("hiera.yaml"),
        "version: 5\ndefaults: {datadir: data, data_hash: yaml_data}\nhierarchy: [{name: all, path: all.yaml}]\n",
    );
    // Hiera reads `%{y}` in a value as one of its own variables, and this as the text.
    let token = serde_json::to_string(&TOKEN.replace("%{", "%{literal('%')}{")).unwrap();
    write(&folder.join("data/all.yaml"), format!("uploader_token: {token}\n"));

    export(&tree, "date");
    let (code, said) = apply(&host, folder);
    assert_eq!(code, "2", "{said}");
    is_as_promised(&host, "date");
    let (pid, (code, said)) = (host.pid("uploader"), apply(&host, folder));
    assert_eq!(code, "0", "{said}");
    assert_eq!(host.pid("uploader"), pid);

    // What somebody has changed is put right, and a new export restarts the service.
    host.sh("echo '# edited' >> /etc/systemd/system/uploader.service; chmod 0644 /var/lib/install-service/uploader_env_vars.txt");
    assert_eq!(apply(&host, folder).0, "2");
    is_as_promised(&host, "date");
    export(&tree, "uptime");
    assert_eq!(apply(&host, folder).0, "2");
    is_as_promised(&host, "uptime");
    assert_eq!(apply(&host, folder).0, "0");
}
