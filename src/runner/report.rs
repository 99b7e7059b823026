//! What is said of a program's end: the form is that of the units of systemd (`error_log_of` in `render/systemd.rs`).

use std::io;

use crate::model::name::ServiceName;
use crate::model::text::Text;

/// How large an error log grows before it is begun anew, in bytes.
pub const LIMIT: u64 = 1 << 20;

/// How many of the last lines of a program are kept.
const LINES: usize = 50;

/// How a program ends that Ctrl-C ended, or a shutdown of Windows (STATUS_CONTROL_C_EXIT of MS-ERREF 2.3).
const CONTROL_C: u32 = 0xc000_013a;

/// Above it codes are of Windows itself, which people know in hexadecimal: an NTSTATUS that is an error, an HRESULT.
const OF_WINDOWS: u32 = 0x8000_0000;

/// Whether a program that nobody stopped has failed.
pub fn is_failure(code: u32) -> bool {
    code != 0 && code != CONTROL_C
}

/// The line about a program that ended with `code`.
pub fn ended(service: &ServiceName, code: u32) -> String {
    let by_windows = if code >= OF_WINDOWS { format!(" (0x{code:08X})") } else { String::new() };
    format!("{service} exit-code exited {code}{by_windows}")
}

/// The line about a program that there is not, or that Windows does not start.
pub fn not_started(service: &ServiceName, program: &Text, error: &io::Error) -> String {
    format!("{service} cannot start `{program}`: {error}")
}

/// The line about a program that was not started because its variables could not be read.
pub fn without_variables(service: &ServiceName, reason: &str) -> String {
    format!("{service} cannot read its environment file: {reason}")
}

/// An entry of the error log: when, how it ended, and the last lines that it printed.
pub fn entry(time: &str, what: &str, printed: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = printed.split_inclusive(|byte| *byte == b'\n').collect();
    let last = lines[lines.len().saturating_sub(LINES)..].concat();
    let end = if last.is_empty() || last.ends_with(b"\n") { "\n" } else { "\n\n" };
    [format!("{time} {what}\n").as_bytes(), &last, end.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::registered::End;

    fn shown(printed: &str) -> String {
        String::from_utf8(entry("2026-11-22T07:18:11Z", "web exit-code exited 3", printed.as_bytes())).unwrap()
    }

    #[test]
    fn an_entry_has_the_time_the_end_and_the_last_lines() {
        let head = "2026-11-22T07:18:11Z web exit-code exited 3\n";
        assert_eq!(shown("one\r\ntwo\r\n"), format!("{head}one\r\ntwo\r\n\n"));
        assert_eq!(shown("half a line"), format!("{head}half a line\n\n"));
        assert_eq!(shown(""), format!("{head}\n"));
        let many: String = (1..=60).map(|number| format!("{number}\n")).collect();
        assert!(shown(&many).starts_with(&format!("{head}11\n12\n")));
    }

    #[test]
    fn what_is_said_of_an_end_tells_doctor_the_cause() {
        let name = "my-web".parse().unwrap();
        for code in [1, 0xc000_0135] {
            assert_eq!(End::read("my-web", &ended(&name, code)), Some(End::Exited(code)));
        }
        let error = io::Error::from_raw_os_error(2);
        let line = not_started(&name, &r"C:\a`: b.exe".into(), &error);
        assert_eq!(End::read("my-web", &line), Some(End::NotStarted(Some(2), &error.to_string())));
        assert_eq!(End::read("my", &line), None);
    }

    #[test]
    fn codes_of_windows_are_shown_as_people_know_them() {
        let name = "web".parse().unwrap();
        assert_eq!(ended(&name, 3), "web exit-code exited 3");
        assert_eq!(ended(&name, 0xc000_0005), "web exit-code exited 3221225477 (0xC0000005)");
        assert!(is_failure(1) && is_failure(0xc000_0005) && !is_failure(0) && !is_failure(CONTROL_C));
    }
}
