//! A question for a secret shows nothing of the answer, and gives the terminal back as it was, whatever happens.

use std::path::Path;
use std::process::{Command, Stdio};

const AS_BEFORE: &str = "echo on, lines on, signals on";
const NOTHING: &str = "asks: error: interrupted; nothing was changed\n";

/// What is to be seen of a command that asks for a value, run as a job of a shell.
#[track_caller]
fn asked(steps: &[[&str; 2]]) -> String {
    asked_through(&[], steps)
}

#[track_caller]
fn asked_through(words: &[&str], steps: &[[&str; 2]]) -> String {
    let job = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/job.py");
    let asks = Path::new(env!("CARGO_BIN_EXE_InstallService")).with_file_name("examples").join("asks");
    let mut command = Command::new("/usr/bin/python3");
    command
        .arg(job)
        .args(steps.as_flattened())
        .arg("--")
        .args(words)
        .arg(asks)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    let output = command.output().expect("python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn ended(code: u8) -> String {
    format!("[ended {code}: {AS_BEFORE}]\n")
}

#[test]
fn a_value_is_read_and_not_shown() {
    for (keys, value) in [
        ("hunter 2^M", "hunter 2"),
        ("ä \\ \"$x\"\t^M", "ä \\ \"$x\"\\t"),
        // As everywhere at this terminal: erased, killed, and handed over in two pieces.
        ("wrong^Uright^M", "right"),
        ("one^Dtwo^M", "onetwo"),
        ("end^D^D", "end"),
    ] {
        let seen = asked(&[["see", "value: "], ["hidden", "-"], ["type", keys]]);
        assert_eq!(seen, format!("value: \nValue(`{value}`)\n{}", ended(0)), "{keys}");
    }
}

#[test]
fn an_empty_line_and_the_end_of_input_are_no_value() {
    for keys in ["^M", "^D"] {
        let seen = asked(&[["see", "value: "], ["hidden", "-"], ["type", keys]]);
        assert_eq!(seen, format!("value: \nNothing\n{}", ended(0)));
    }
}

#[test]
fn a_key_that_is_no_character_is_not_taken_for_one() {
    let seen = asked(&[["see", "value: "], ["hidden", "-"], ["type", "secret^[[D^M"]]);
    assert_eq!(seen, format!("value: \nKey(27)\n{}", ended(0)));
}

#[test]
fn what_a_terminal_cannot_take_in_one_line_is_not_cut() {
    let seen = asked(&[["see", "value: "], ["hidden", "-"], ["grow", "-"], ["type", "^M"]]);
    assert_eq!(seen.trim_start_matches(['\u{7}']), format!("value: \nTooLong {{ most: 4094 }}\n{}", ended(0)));
}

#[test]
fn what_was_typed_before_the_question_is_no_answer() {
    let early = [["stopped", "-"], ["type", "too early^M"], ["see", "too early"], ["back", "fg"]];
    let in_time = [["see", "value: "], ["hidden", "-"], ["type", "in time^M"]];
    let seen = asked_through(&["sh", "-c", "kill -STOP $$; exec \"$0\""], &[&early[..], &in_time].concat());
    assert!(seen.ends_with(&format!("too early\nvalue: \nValue(`in time`)\n{}", ended(0))), "{seen}");
}

#[test]
fn ctrl_c_gives_the_terminal_back() {
    for keys in ["^C", "half^C", "^\\"] {
        let seen = asked(&[["see", "value: "], ["hidden", "-"], ["type", keys]]);
        assert_eq!(seen, format!("value: \n{NOTHING}{}", ended(130)), "{keys}");
    }
}

#[test]
fn a_signal_that_ends_it_gives_the_terminal_back() {
    for signal in ["INT", "TERM", "HUP", "QUIT"] {
        let seen = asked(&[["see", "value: "], ["hidden", "-"], ["send", signal]]);
        assert_eq!(seen, format!("value: \n{NOTHING}{}", ended(130)), "{signal}");
    }
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_asks_again_afterwards() {
    let stop = [["see", "value: "], ["hidden", "-"], ["type", "half^Z"], ["stopped", "-"], ["back", "fg"]];
    let again = [["see", "value: "], ["hidden", "-"], ["type", "whole^M"]];
    let seen = asked(&[&stop[..], &again].concat());
    assert_eq!(seen, format!("value: \n[stopped: {AS_BEFORE}]\nvalue: \nValue(`whole`)\n{}", ended(0)));
    // Again, and then it is ended.
    let seen = asked(&[&stop[..], &stop, &[["see", "value: "], ["hidden", "-"], ["type", "^C"]]].concat());
    let stopped = format!("value: \n[stopped: {AS_BEFORE}]\n");
    assert_eq!(seen, format!("{stopped}{stopped}value: \n{NOTHING}{}", ended(130)));
}

/// In the background it is stopped before it hides anything, until it has the terminal again.
#[test]
fn in_the_background_it_leaves_the_terminal_to_others() {
    let seen = asked(&[
        ["see", "value: "],
        ["hidden", "-"],
        ["type", "^Z"],
        ["stopped", "-"],
        ["back", "bg"],
        ["stopped", "-"],
        ["back", "fg"],
        ["see", "value: "],
        ["hidden", "-"],
        ["type", "x^M"],
    ]);
    let stopped = format!("[stopped: {AS_BEFORE}]\n");
    assert_eq!(seen, format!("value: \n{stopped}{stopped}value: \nValue(`x`)\n{}", ended(0)));
}

/// Nothing stops that from being stopped at once; the shell has its terminal back as shells do.
#[test]
fn what_was_stopped_by_force_hides_its_answer_again() {
    let seen = asked(&[
        ["see", "value: "],
        ["hidden", "-"],
        ["send", "STOP"],
        ["stopped", "-"],
        ["show", "-"],
        ["back", "fg"],
        ["see", "value: "],
        ["hidden", "-"],
        ["type", "x^M"],
    ]);
    let stopped = "[stopped: echo off, lines on, signals on]\n";
    assert_eq!(seen, format!("value: {stopped}\nvalue: \nValue(`x`)\n{}", ended(0)));
}

/// Nobody could let it go on whose parent is no shell.
#[test]
fn without_a_shell_ctrl_z_asks_again() {
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/keys.py");
    let asks = Path::new(env!("CARGO_BIN_EXE_InstallService")).with_file_name("examples").join("asks");
    let mut command = Command::new("/usr/bin/python3");
    command.args([keys, "value: ", "^Z", "value: ", "whole\n", "--"]).arg(asks).stdin(Stdio::null());
    let output = command.output().expect("python3");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "value: \nvalue: \nValue(`whole`)\n");
}
