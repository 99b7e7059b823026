//! The catalog: which programs can become a service by their name, and what arguments they take.
//!
//! A catalog is a TOML text. One is shipped ([`SHIPPED`], the service programs of OpenMSIStream);
//! users add their own, written by hand or by [`discover`], and a later one wins.
//!
//! ```toml
//! [catalog]                      # optional, like its keys
//! name = "example"               # the package the programs come from
//! version = "1.0"                # and the version this catalog was written for
//!
//! [[set]]                        # arguments that several programs share
//! name = "Logging"               # also their heading in the help
//! [[set.argument]]
//! flags = ["--level"]            # without flags the argument is positional
//! kind = "log_level"
//! help = "How much is written to the log."
//!
//! [[program]]
//! name = "Uploader"
//! about = "Sends new files of a directory to a server."
//! python = "example.uploader:main"      # or: executable = "/usr/bin/uploader"
//! restart_sec = "2min"           # how long it is waited before it is started again [10 s]
//! ctrl_c = false                 # Ctrl-C does not end it, so a stop does not try [true]
//! include = ["Logging"]          # after the program's own arguments, which win over these
//! [[program.argument]]
//! name = "source"                # an option is named after its first long flag, as in argparse
//! kind = "existing_dir"
//! help = "The directory to watch."
//! ```
//!
//! Further keys of an argument: `required`, `default`, `choices`, `arity` (`"?"`, `"*"`, `"+"` or a
//! number), `repeat`, `metavar`, `group`, `package_dir` and `suffix`; [`ArgSpec`] says what they mean.

mod argument;
mod check;
pub mod config_file;
pub mod discover;
mod kind;
mod load;
mod program;
mod regex;
mod schema;

use indexmap::IndexMap;

use crate::document::DocumentError;

pub use argument::{ArgSpec, Arity};
pub use kind::ArgKind;
pub use program::{EntryPoint, Program};

/// The catalog that comes with the tool: OpenMSIStream's service programs.
pub const SHIPPED: &str = include_str!("openmsistream.toml");

/// The same as JSON, which is read in a fifth of the time, by every run. tests/suite/catalog.rs makes it.
const SHIPPED_AS_JSON: &str = include_str!("openmsistream.json");

/// The programs that can become a service by their name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// The package the programs come from.
    pub name: Option<String>,
    /// The version of that package the catalog was written for.
    pub version: Option<String>,
    /// What the package is.
    pub about: Option<String>,
    /// The programs by their name, in the order of the file.
    pub programs: IndexMap<String, Program>,
}

impl Catalog {
    /// Reads a catalog and checks everything that can be checked without a host. `origin` is what
    /// an error calls the text: the path of its file.
    ///
    /// # Errors
    /// The first fault, with its line and key.
    pub fn parse(text: &str, origin: &str) -> Result<Catalog, DocumentError> {
        load::parse(text, origin)
    }

    /// The catalog that comes with the tool.
    ///
    /// # Panics
    /// Never: tests read it.
    pub fn shipped() -> Catalog {
        load::shipped(SHIPPED_AS_JSON)
    }

    /// The catalog as TOML, which [`Catalog::parse`] reads back as the same catalog. Arguments that
    /// were shared are written out with every program.
    pub fn to_toml(&self) -> String {
        load::to_toml(self)
    }

    /// Adds the programs of a later catalog; one of the same name takes the place of the earlier.
    /// What is said about the package stays as it is.
    pub fn merge(&mut self, later: Catalog) {
        self.programs.extend(later.programs);
    }

    /// The program of this name, in this spelling.
    pub fn find(&self, name: &str) -> Option<&Program> {
        self.programs.get(name)
    }

    /// The name of the program that was probably meant.
    pub fn suggest(&self, name: &str) -> Option<&str> {
        crate::model::nearest::nearest(name, self.programs.keys().map(String::as_str))
    }
}
