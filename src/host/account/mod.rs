//! Accounts, as the system knows them.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub use unix::{Account, owner_of_home};

/// The account in whose home directory a path lies: on Windows that says nothing of who may use it.
#[cfg(windows)]
pub fn owner_of_home(_path: &crate::model::text::Text) -> Option<String> {
    None
}

/// On Windows no process of ours can be another account's.
#[cfg(windows)]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Account {}

#[cfg(windows)]
impl Account {
    /// The account of the process of a service.
    pub fn of_service(_name: &str, _group: Option<&str>, _more: &[&str]) -> Option<Self> {
        None
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        match *self {}
    }

    /// The variables that a service of it has.
    pub fn variables(&self) -> Vec<(crate::model::text::Text, crate::model::text::Text)> {
        match *self {}
    }
}
