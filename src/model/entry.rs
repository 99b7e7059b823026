//! Placeholder of the Python entry grammar.

/// What a Python service imports and calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonEntry {
    /// Dotted module.
    pub module: String,
    /// Class with `run_from_command_line`.
    pub class: Option<String>,
    /// Function that is called with the list of arguments.
    pub function: Option<String>,
}
