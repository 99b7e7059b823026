//! Numbers, sizes and shares, as systemd reads them (`src/basic/parse-util.c`, `src/basic/percent-util.c`).

/// A whole number: what `strtoull` reads with base 0, and in Python's words for base 2 and 8; with the version that it
/// needs (`safe_atou_full`).
pub(super) fn whole(text: &str) -> Option<(i128, u32)> {
    let text = text.trim_start();
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let coded = |prefixes: [&str; 2]| prefixes.iter().find_map(|prefix| digits.strip_prefix(*prefix));
    let (digits, radix, since) = match (coded(["0x", "0X"]), coded(["0b", "0B"]), coded(["0o", "0O"])) {
        (Some(digits), _, _) => (digits, 16, 0),
        // A sign in front of these it does not read.
        (_, Some(digits), _) if text.starts_with('0') => (digits, 2, 247),
        (_, _, Some(digits)) if text.starts_with('0') => (digits, 8, 247),
        _ if digits.len() > 1 && digits.starts_with('0') => (digits, 8, 0),
        _ => (digits, 10, 0),
    };
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok()?;
    Some((if is_negative { -number } else { number }, since))
}

/// A whole number from 0 to that, and the version that it needs.
pub(super) fn up_to(text: &str, most: u64) -> Option<(u64, u32)> {
    let (number, since) = whole(text)?;
    let number = u64::try_from(number).ok().filter(|number| *number <= most && !text.trim_start().starts_with('-'));
    number.map(|number| (number, since))
}

/// An amount of bytes: numbers, each with a unit of 1024 that is smaller than the one before (`parse_size`). The greatest
/// number is that of `infinity`.
pub(super) fn size(text: &str) -> Option<u64> {
    const UNITS: &str = "EPTGMKB";
    let mut rest = text.trim();
    let mut sum: u64 = 0;
    let mut units = UNITS;
    loop {
        let length = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (digits, behind) = rest.split_at(length);
        let number: u64 = digits.parse().ok()?;
        let (part, behind) = match behind.strip_prefix('.') {
            Some(behind) => {
                let length = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                (format!("0.{}", &behind[..length]).parse::<f64>().unwrap_or_default(), &behind[length..])
            }
            None => (0.0, behind),
        };
        let behind = behind.trim_start();
        let (unit, behind) = match behind.chars().next() {
            None => (1, behind),
            Some(letter) => {
                let at = units.find(letter)?;
                units = &units[at + 1..];
                (1024_u64.pow(u32::try_from(units.len()).ok()?), &behind[1..])
            }
        };
        let whole = number.checked_mul(unit)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
        let part = (part * unit as f64) as u64;
        sum = sum.checked_add(whole)?.checked_add(part)?;
        rest = behind.trim_start();
        if rest.is_empty() {
            return Some(sum).filter(|sum| *sum < u64::MAX);
        }
    }
}

/// A share in parts of ten thousand, and the version that it needs: `12.5%`, since 248 also `12.34%` and `3‱`
/// (`parse_permille`, `parse_permyriad`).
pub(super) fn share(text: &str) -> Option<(u64, u32)> {
    let (number, decimals) = [("%", 2), ("‰", 1), ("‱", 0)]
        .into_iter()
        .find_map(|(sign, decimals)| Some((text.strip_suffix(sign)?, decimals)))?;
    let (whole, part) = match number.split_once('.') {
        Some((whole, part)) => (whole, part),
        None => (number, ""),
    };
    if number.ends_with('.') || part.len() > decimals || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // What came with 248 has one more place.
    let since = if part.len() == decimals { 248 } else { 0 };
    let (whole, needed) = up_to(whole, i32::MAX.unsigned_abs().into())?;
    let digits = format!("{part:0<decimals$}");
    let part: u64 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    Some((whole * 10_u64.pow(u32::try_from(decimals).ok()?) + part, since.max(needed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_their_base() {
        let read = |text| whole(text).map(|(number, _)| number);
        for (text, number) in [("010", 8), ("0x1F", 31), ("+5", 5), ("-20", -20), ("0b11", 3), (" 7", 7), ("0", 0)] {
            assert_eq!(read(text), Some(number), "{text}");
        }
        for text in ["", "009", "1e3", "0x", "5 ", "--5", "+-5", "1_000"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(whole("0o17"), Some((15, 247)));
        assert_eq!(up_to("-1", 5), None);
    }

    #[test]
    fn sizes_add_up() {
        for (text, bytes) in [
            ("1G", 1 << 30),
            ("1.5K", 1536),
            ("1G 512M", (1 << 30) + (512 << 20)),
            ("8 M", 8 << 20),
            ("3B", 3),
            ("7", 7),
        ] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for text in ["", "1GB", "16E", "18446744073709551615", "1M 1G", ".5G", "G", "1KiB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn shares_have_as_many_places_as_their_version_reads() {
        for (text, read) in
            [("50%", (5000, 0)), ("12.5%", (1250, 0)), ("12.34%", (1234, 248)), ("5‰", (50, 0)), ("7‱", (7, 248))]
        {
            assert_eq!(share(text), Some(read), "{text}");
        }
        for text in ["50", "%", "1.234%", "1.%", "-5%", "50 %"] {
            assert_eq!(share(text), None, "{text}");
        }
    }
}
