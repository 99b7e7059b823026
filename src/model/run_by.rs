//! What runs a file that Windows does not start by itself, by the end of its name.

use super::platform::Platform;
use super::text::Text;

/// A program that runs files of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunBy {
    /// The ends of their names, in lower case.
    ends: &'static [&'static str],
    /// The program, as it is called on PATH.
    pub program: &'static str,
    /// What it is given in front of the file.
    pub words: &'static [&'static str],
}

/// Where every Windows has the PowerShell of its own (about_PowerShell_exe).
pub const POWERSHELL: &str = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";

const KNOWN: [RunBy; 8] = [
    RunBy { ends: &[".py"], program: "python.exe", words: &[] },
    RunBy { ends: &[".pyw"], program: "pythonw.exe", words: &[] },
    // Without what the account has of its own, and whatever rule for scripts is set.
    RunBy { ends: &[".ps1"], program: "powershell.exe", words: &["-NoProfile", "-ExecutionPolicy", "Bypass", "-File"] },
    RunBy { ends: &[".jar"], program: "java.exe", words: &["-jar"] },
    RunBy { ends: &[".js", ".mjs", ".cjs"], program: "node.exe", words: &[] },
    RunBy { ends: &[".pl"], program: "perl.exe", words: &[] },
    RunBy { ends: &[".rb"], program: "ruby.exe", words: &[] },
    RunBy { ends: &[".vbs"], program: "cscript.exe", words: &["//nologo"] },
];

impl RunBy {
    /// What runs the file of this path, if Windows needs something that does.
    pub fn of(path: &Text) -> Option<Self> {
        let name = Platform::Windows.file_name(path).to_string().to_lowercase();
        KNOWN.into_iter().find(|known| known.ends.iter().any(|end| name.ends_with(end)))
    }

    /// The words in front of the file, as they are typed.
    pub fn typed(self) -> String {
        std::iter::once(self.program).chain(self.words.iter().copied()).collect::<Vec<_>>().join(" ")
    }

    /// Whether it is Python.
    pub fn is_python(self) -> bool {
        self.program.starts_with("python")
    }
}
