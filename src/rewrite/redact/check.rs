//! Check digits and dates, which distinguish numbers from other numbers.

/// Luhn's check of decimal digits.
pub fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let value = u32::from(digit - b'0') << (at % 2);
            value / 10 + value % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The issuers' first digits and lengths.
pub fn is_card(digits: &[u8]) -> bool {
    let first =
        |count: usize| digits.iter().take(count).fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let issued = match digits.len() {
        13 | 19 if first(1) == 4 => true,
        15 => matches!(first(2), 34 | 37),
        14 | 16 if is_diners(first) => true,
        16 => {
            first(1) == 4
                || matches!(first(2), 51..=55 | 65 | 62)
                || matches!(first(3), 644..=649)
                || matches!(first(4), 2221..=2720 | 6011 | 3528..=3589)
        }
        17..=19 => first(2) == 62 || is_diners(first),
        _ => false,
    };
    issued && digits.iter().any(|digit| *digit != digits[0]) && luhn(digits)
}

fn is_diners(first: impl Fn(usize) -> u32) -> bool {
    matches!(first(2), 36 | 38 | 39) || matches!(first(3), 300..=305) || first(4) == 3095
}

/// An international account number without blanks: the length of its country, and the rest of a division by 97.
pub fn is_iban(text: &[u8]) -> bool {
    let [a, b, rest @ ..] = text else { return false };
    if iban_length([*a, *b]) != Some(text.len()) || !rest.iter().take(2).all(u8::is_ascii_digit) {
        return false;
    }
    let moved = text[4..].iter().chain(&text[..4]);
    let mut sum = 0;
    for byte in moved {
        sum = match byte {
            b'0'..=b'9' => sum * 10 + u32::from(byte - b'0'),
            b'A'..=b'Z' => sum * 100 + u32::from(byte - b'A') + 10,
            _ => return false,
        } % 97;
    }
    sum == 1
}

/// How long an account number of a country is.
pub fn iban_length(country: [u8; 2]) -> Option<usize> {
    Some(match &country {
        b"NO" => 15,
        b"BE" => 16,
        b"DK" | b"FK" | b"FI" | b"FO" | b"GL" | b"NL" | b"SD" => 18,
        b"MK" | b"SI" => 19,
        b"AT" | b"BA" | b"EE" | b"KZ" | b"LT" | b"LU" | b"XK" | b"MN" => 20,
        b"HR" | b"LV" | b"LI" | b"CH" => 21,
        b"BH" | b"BG" | b"CR" | b"GE" | b"DE" | b"IE" | b"ME" | b"RS" | b"GB" | b"VA" => 22,
        b"AE" | b"GI" | b"IL" | b"IQ" | b"OM" | b"SO" | b"TL" => 23,
        b"AD" | b"CZ" | b"MD" | b"PK" | b"RO" | b"SA" | b"SK" | b"ES" | b"SE" | b"TN" | b"VG" => 24,
        b"LY" | b"PT" | b"ST" => 25,
        b"IS" | b"TR" => 26,
        b"BI" | b"DJ" | b"FR" | b"GR" | b"IT" | b"MC" | b"MR" | b"SM" => 27,
        b"AL" | b"AZ" | b"BY" | b"CY" | b"DO" | b"GT" | b"HU" | b"LB" | b"NI" | b"PL" | b"SV" => 28,
        b"BR" | b"EG" | b"PS" | b"QA" | b"UA" => 29,
        b"JO" | b"KW" | b"MU" | b"YE" => 30,
        b"MT" | b"SC" => 31,
        b"LC" => 32,
        b"RU" => 33,
        _ => return None,
    })
}

/// Thirteen digits whose first are a birthday and the seventh its century, as residents of Korea have. The last digit
/// checks nothing since October 2020.
pub fn is_resident(digits: &[u8]) -> bool {
    let pair = |at: usize| u32::from(digits[at] - b'0') * 10 + u32::from(digits[at + 1] - b'0');
    if digits.len() != 13 {
        return false;
    }
    let century = match digits[6] {
        b'1' | b'2' | b'5' | b'6' => 1900,
        b'3' | b'4' | b'7' | b'8' => 2000,
        _ => 1800,
    };
    let (year, month, day) = (century + pair(0), pair(2), pair(4));
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Ten digits of a Korean business.
pub fn is_business(digits: &[u8]) -> bool {
    let [first @ .., last] = digits else { return false };
    if digits.len() != 10 || &digits[..3] < b"101".as_slice() {
        return false;
    }
    let values = || first.iter().map(|digit| u32::from(digit - b'0'));
    let sum: u32 = values().zip([1, 3, 7, 1, 3, 7, 1, 3, 5]).map(|(digit, weight)| digit * weight).sum();
    let sum = sum + values().next_back().unwrap_or(0) * 5 / 10;
    (10 - sum % 10) % 10 == u32::from(last - b'0')
}

/// Nine digits that can be an American social security number. One is known from an advertisement.
pub fn is_ssn(digits: &[u8]) -> bool {
    digits.len() == 9
        && digits[0] != b'9'
        && !matches!(&digits[..3], b"000" | b"666")
        && digits[3..5] != *b"00"
        && digits[5..] != *b"0000"
        && digits != b"078051120"
}

/// How many digits a number with this calling code has, the code included.
pub fn calling_code(digits: &[u8]) -> Option<std::ops::RangeInclusive<usize>> {
    let first =
        |count: usize| digits.iter().take(count).fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Some(match (first(1), first(2), first(3)) {
        (1 | 7, ..) => 11..=11,
        (_, 82, _) => 10..=12,
        (
            _,
            20 | 27 | 30..=34 | 36 | 39..=41 | 43..=49 | 51..=58 | 60..=66 | 81 | 84 | 86 | 90..=95 | 98,
            _,
        ) => 9..=14,
        (
            _,
            _,
            211..=213
            | 216
            | 218
            | 220..=269
            | 290
            | 291
            | 297..=299
            | 350..=359
            | 370..=389
            | 420
            | 421
            | 423,
        ) => 9..=15,
        (_, _, 500..=509 | 590..=599 | 670..=692 | 850 | 852 | 853 | 855 | 856 | 880 | 886) => 9..=15,
        (_, _, 960..=968 | 970..=977 | 992..=996 | 998) => 9..=15,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_have_an_issuer_a_length_and_a_check_digit() {
        for card in [
            "4111111111111111",
            "4222222222222",
            "5555555555554444",
            "2221000000000009",
            "378282246310005",
            "6011111111111117",
            "3530111333300000",
            "30569309025904",
            "6212345678901265",
        ] {
            assert!(is_card(card.as_bytes()), "{card}");
        }
        for other in
            ["4111111111111112", "1548138160707", "2018678836144587", "4444444444444444", "9111111111111111"]
        {
            assert!(!is_card(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn accounts_have_the_length_of_their_country_and_a_check() {
        for account in
            ["DE44500105175407324931", "GB29NWBK60161331926819", "NO9386011117947", "NL91ABNA0417164300"]
        {
            assert!(is_iban(account.as_bytes()), "{account}");
        }
        for other in [
            "DE45500105175407324931",
            "DE4450010517540732493",
            "XX44500105175407324931",
            "DE",
            "de44500105175407324931",
        ] {
            assert!(!is_iban(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn residents_have_a_birthday() {
        for resident in ["9601211021413", "9601211234567", "0509124000019", "0002293234567"] {
            assert!(is_resident(resident.as_bytes()), "{resident}");
        }
        for other in ["0013321234567", "9602301234567", "0102293234567", "960121102141"] {
            assert!(!is_resident(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn businesses_have_a_check_digit() {
        assert!(is_business(b"1048656659"));
        assert!(!is_business(b"1048656658") && !is_business(b"0998656659"));
    }
}
