//! What other programs run services by: Procfiles, and `ecosystem.config` of pm2.

use super::unit::{contents, last};
use super::{Imported, TakenOver};
use crate::error::{Error, Fault};
use crate::host::facts::Host;
use crate::host::files;
use crate::import::{self, Taken};
use crate::model::facts::Facts as _;
use crate::model::platform::Platform;
use crate::model::text::Text;

/// What foreman, honcho or pm2 are given, by the name of the file.
pub(super) fn read(path: &Text) -> Result<Option<Imported>, Error> {
    let name = last(path);
    let is_procfile = name.starts_with("Procfile") || name.ends_with(".procfile");
    if [".config.js", ".config.cjs", ".config.mjs"].iter().any(|end| name.ends_with(end)) {
        let fault = Fault::new("import", "must be JSON: this is JavaScript, which only node can read").given(path);
        let help = format!(
            "`node -p 'JSON.stringify(require(\"./{name}\"))' > ecosystem.json`, and then `InstallService import \
             ecosystem.json`"
        );
        return Err(Error::refused(fault.help(help)));
    }
    if !is_procfile && !name.ends_with(".json") {
        return Ok(None);
    }
    let here = Host::default().current_directory().unwrap_or_default();
    let is_absolute = Platform::Unix.is_absolute(path);
    let whole =
        if is_absolute { path.clone() } else { Text::from_bytes([here.as_bytes(), b"/", path.as_bytes()].concat()) };
    let folder = files::parent(&Platform::Unix.normalised(&whole)).unwrap_or(here);
    let contents = self::contents(path)?;
    let (mut services, left) = match is_procfile {
        true => {
            let beside = Platform::Unix.join(&folder, ".env");
            let env = if files::is_there(&beside) { Some(self::contents(&beside)?) } else { None };
            import::procfile::read(&import::procfile::Procfile {
                file: path.to_string(),
                app: last(&folder),
                folder,
                contents: &contents,
                env: env.as_ref().map(|contents| (beside, contents.as_slice())),
            })
        }
        false => import::pm2::read(&contents, &path.to_string(), &folder)
            .map_err(|reason| Error::refused(Fault::new("import", reason).given(path)))?,
    };
    if services.is_empty() {
        let fault = Fault::new("import", "there is nothing to run in it").given(path);
        return Err(Error::refused(fault));
    }
    import::distinct(&mut services);
    let services: Vec<(Taken, String)> =
        services.into_iter().map(|taken| (taken.checked(), format!("From {path}"))).collect();
    let imported = Imported {
        manifest: import::document(&services),
        services: services.iter().map(|(taken, _)| TakenOver::of(taken)).collect(),
        left,
        ..Imported::default()
    };
    Ok(Some(imported))
}
