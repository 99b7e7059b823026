//! Accounts, as the system knows them.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub use unix::Account;

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

    /// The variables that a service of it has.
    pub fn variables(&self) -> Vec<(crate::model::text::Text, crate::model::text::Text)> {
        match *self {}
    }
}
