//! ManageService.
/// Runs.
pub fn run(_argv: Vec<std::ffi::OsString>) -> Result<u8, crate::error::Error> { Ok(0) }
