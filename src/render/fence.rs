//! The fence around the templates: what may stand in a `{{ }}`, and the last look at it.
//!
//! askama takes any `Display` in a template. Ours name this module as their `askama`, where the
//! step that turns a value into text takes [`Encoded`] types only, so a bare string does not
//! compile. This template does:
//!
//! ```
//! mod render {
//!     pub mod escape { pub use install_service::render::escape::Checked; }
//! }
//! use askama::Template;
//! use install_service::render::escape::ShellWord;
//!
//! #[derive(Template)]
//! #[template(source = "exec {{ word }}", ext = "sh", askama = install_service::render::fence)]
//! struct Good { word: ShellWord }
//!
//! fn main() {
//!     let word = ShellWord::new(&"it's".into()).unwrap();
//!     assert_eq!(Good { word }.render().unwrap(), r"exec 'it'\''s'");
//! }
//! ```
//!
//! The same with a `String` does not, nor with one that is declared safe:
//!
//! ```compile_fail,E0277
//! # mod render {
//! #     pub mod escape { pub use install_service::render::escape::Checked; }
//! # }
//! # use askama::Template;
//! #[derive(Template)]
//! #[template(source = "exec {{ word }}", ext = "sh", askama = install_service::render::fence)]
//! struct Bad { word: String }
//! # fn main() {}
//! ```
//!
//! ```compile_fail,E0277
//! # mod render {
//! #     pub mod escape { pub use install_service::render::escape::Checked; }
//! # }
//! # use askama::Template;
//! #[derive(Template)]
//! #[template(source = "exec {{ word|safe }}", ext = "sh", askama = install_service::render::fence)]
//! struct Bad { word: String }
//! # fn main() {}
//! ```
//!
//! Nor does one that forgets to name the fence, because [`Checked`] is no escaper of askama's own:
//!
//! ```compile_fail,E0599
//! # mod render {
//! #     pub mod escape { pub use install_service::render::escape::Checked; }
//! # }
//! # use askama::Template;
//! # use install_service::render::escape::ShellWord;
//! #[derive(Template)]
//! #[template(source = "exec {{ word }}", ext = "sh")]
//! struct Bad { word: ShellWord }
//! # fn main() {}
//! ```

use std::fmt::{self, Write};

pub use askama::*;

/// A type whose `Display` is text of one grammar, ready to stand in a template.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a template",
    label = "not text of a grammar",
    note = "give the template a type of `render::escape`, whose constructor checks and whose `Display` encodes"
)]
pub trait Encoded: fmt::Display {
    /// Whether a control character in the encoded text is meant. It is the last look at what
    /// [`Checked`] lets through, not what makes a value safe.
    fn means(control: char) -> bool {
        let _ = control;
        false
    }
}

impl Encoded for u32 {}

impl<T: Encoded + ?Sized> Encoded for &T {
    fn means(control: char) -> bool {
        T::means(control)
    }
}

/// The escaper that `askama.toml` names: the text passes as it is, and rendering fails at a
/// control character that the type of the value does not [mean](Encoded::means).
#[derive(Clone, Copy, Debug)]
pub struct Checked;

/// askama's own filters, with a step before the output that takes [`Encoded`] types only.
pub mod filters {
    use super::{Checked, Encoded, Watched};

    use std::convert::Infallible;

    pub use askama::filters::*;

    /// What askama wraps every `{{ }}` in.
    #[derive(Debug)]
    pub struct AutoEscaper<'a, T: ?Sized>(&'a T);

    impl<'a, T: Encoded + ?Sized> AutoEscaper<'a, T> {
        /// Called by the code that askama generates.
        pub fn new(value: &'a T, _: Checked) -> Self {
            Self(value)
        }

        /// Called by the code that askama generates.
        ///
        /// # Errors
        /// Never; the signature is askama's.
        pub fn askama_auto_escape(&self) -> Result<Watched<'a, T>, Infallible> {
            Ok(Watched(self.0))
        }
    }

    /// In the place of askama's `safe`, which takes anything.
    ///
    /// # Errors
    /// Never; the signature is askama's.
    pub fn safe<T: Encoded + ?Sized>(value: &T, _: Checked) -> Result<Watched<'_, T>, Infallible> {
        Ok(Watched(value))
    }

    /// In the place of askama's `escape`, which takes anything.
    ///
    /// # Errors
    /// Never; the signature is askama's.
    pub fn escape<T: Encoded + ?Sized>(value: &T, _: Checked) -> Result<Watched<'_, T>, Infallible> {
        Ok(Watched(value))
    }
}

/// Displays a value, and fails at a control character that its type does not mean.
#[derive(Debug)]
pub struct Watched<'a, T: ?Sized>(&'a T);

impl<T: Encoded + ?Sized> fmt::Display for Watched<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Watch<'a, 'b>(&'a mut fmt::Formatter<'b>, fn(char) -> bool);

        impl Write for Watch<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                if text.chars().any(|c| c.is_control() && !(self.1)(c)) {
                    return Err(fmt::Error);
                }
                self.0.write_str(text)
            }
        }

        write!(Watch(f, T::means), "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Careless(&'static str);

    impl fmt::Display for Careless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Encoded for Careless {
        fn means(control: char) -> bool {
            control == '\t'
        }
    }

    #[derive(Template)]
    #[template(source = "A={{ value }}", ext = "service", askama = crate::render::fence)]
    struct Line {
        value: Careless,
    }

    #[test]
    fn a_control_character_that_nobody_meant_stops_the_rendering() {
        assert_eq!(Line { value: Careless("a\tb") }.render().unwrap(), "A=a\tb");
        for bad in ["a\nExecStart=/bin/evil", "\r", "\0", "\u{85}"] {
            Line { value: Careless(bad) }.render().unwrap_err();
        }
    }
}
