//! The colours of names: escape sequences made once, byte for byte the same as stern's.

use owo_colors::{
    Color,
    colors::{
        Blue, BrightBlue, BrightCyan, BrightGreen, BrightMagenta, BrightRed, BrightYellow, Cyan, Green,
        Magenta, Red, Yellow,
    },
};

use crate::{origin::Origin, plan::Display};

/// The bytes before and after a text that give it a style.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Style {
    pub open: String,
    pub close: String,
}

impl Style {
    /// From SGR parameters such as `38;5;9`.
    pub fn sgr(parameters: &str) -> Style {
        let codes: Vec<i64> = parameters.split(';').filter_map(|code| code.trim().parse().ok()).collect();
        Style::of(&codes)
    }

    /// From SGR parameters. Reset as in stern's colour library: each by the parameter that ends it, or by 0.
    pub fn of(codes: &[i64]) -> Style {
        let sequence = |code: &dyn Fn(i64) -> i64| {
            let codes: Vec<String> = codes.iter().map(|&parameter| code(parameter).to_string()).collect();
            format!("\x1b[{}m", codes.join(";"))
        };
        Style { open: sequence(&|code| code), close: sequence(&end_of) }
    }

    /// [`Style::sgr`], or no style.
    pub fn sgr_if(color: bool, parameters: &str) -> Style {
        if color { Style::sgr(parameters) } else { Style::default() }
    }

    pub fn paint(&self, text: impl AsRef<[u8]>, out: &mut Vec<u8>) {
        for part in [self.open.as_bytes(), text.as_ref(), self.close.as_bytes()] {
            out.extend_from_slice(part);
        }
    }
}

/// The SGR parameter that ends the effect of `code`.
fn end_of(code: i64) -> i64 {
    match code {
        1 | 2 => 22,
        3 => 23,
        4 => 24,
        5 | 6 => 25,
        7..=9 => code + 20,
        _ => 0,
    }
}

/// Bright for the pod, normal for the container: cyan, green, magenta, yellow, blue, red.
const DEFAULT: [(&str, &str); 6] = [
    (BrightCyan::RAW_ANSI_FG, Cyan::RAW_ANSI_FG),
    (BrightGreen::RAW_ANSI_FG, Green::RAW_ANSI_FG),
    (BrightMagenta::RAW_ANSI_FG, Magenta::RAW_ANSI_FG),
    (BrightYellow::RAW_ANSI_FG, Yellow::RAW_ANSI_FG),
    (BrightBlue::RAW_ANSI_FG, Blue::RAW_ANSI_FG),
    (BrightRed::RAW_ANSI_FG, Red::RAW_ANSI_FG),
];

/// Assigns colours to pods and containers, the same in every run.
pub struct Palette {
    /// Styles of pod and container; at least one pair.
    pairs: Vec<(Style, Style)>,
    /// For an origin without names (standard input), which stern prints in the colour "reset".
    reset: Style,
    diff_container: bool,
}

impl Palette {
    pub fn new(display: &Display, color: bool) -> Palette {
        let pair = |(pod, container): (&str, &str)| (Style::sgr(pod), Style::sgr(container));
        let pairs = match &display.colors {
            _ if !color => vec![Default::default()],
            Some(colors) if !colors.is_empty() => colors.iter().map(|(p, c)| pair((p, c))).collect(),
            _ => DEFAULT.map(pair).into(),
        };
        Palette { pairs, reset: Style::sgr_if(color, "0"), diff_container: display.diff_container }
    }

    /// The styles of a pod's and a container's name.
    pub fn of(&self, pod: &str, container: &str) -> (&Style, &Style) {
        let pair = |name| &self.pairs[fnv1(name) as usize % self.pairs.len()];
        let container = if self.diff_container { container } else { pod };
        (&pair(pod).0, &pair(container).1)
    }

    pub fn of_origin(&self, origin: &Origin) -> (&Style, &Style) {
        match origin.is_named() {
            true => self.of(&origin.pod.name, &origin.container),
            false => (&self.reset, &self.reset),
        }
    }
}

/// FNV-1 (not 1a), as in stern: pods keep the colours that users know.
fn fnv1(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash: u32, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::display;

    #[test]
    fn a_look_is_closed_parameter_by_parameter() {
        for (parameters, open, close) in [
            ("96", "\x1b[96m", "\x1b[0m"),
            ("31;1", "\x1b[31;1m", "\x1b[0;22m"),
            ("33;4", "\x1b[33;4m", "\x1b[0;24m"),
            ("38;5;9", "\x1b[38;5;9m", "\x1b[0;25;29m"),
            (" 91 ; 2", "\x1b[91;2m", "\x1b[0;22m"),
            ("0", "\x1b[0m", "\x1b[0m"),
        ] {
            assert_eq!(Style::sgr(parameters), Style { open: open.into(), close: close.into() });
        }
    }

    #[test]
    fn names_are_hashed_with_fnv1() {
        assert_eq!(fnv1(""), 0x811c_9dc5);
        assert_eq!(fnv1("a"), 0x050c_5d7e);
        assert_eq!(fnv1("foobar"), 0x31f0_b262);
    }

    #[test]
    fn the_pod_decides_both_colours() {
        let palette = Palette::new(&display(), true);
        let looks = palette.of("web-7d9c5b8f6-abcde", "app");
        assert_eq!(looks, (&Style::sgr("96"), &Style::sgr("36")));
    }

    #[test]
    fn diff_container_lets_the_container_decide_its_own() {
        let palette = Palette::new(&Display { diff_container: true, ..display() }, true);
        assert_eq!(palette.of("web-7d9c5b8f6-abcde", "app").1, &Style::sgr("35"));
        assert_eq!(palette.of("web-7d9c5b8f6-abcde", "istio-proxy").1, &Style::sgr("36"));
    }

    #[test]
    fn own_colours_replace_the_palette() {
        let colors = ["91", "92", "93"].map(|c| (c.to_owned(), format!("3{};4", &c[1..])));
        let palette =
            Palette::new(&Display { colors: Some(colors.into()), diff_container: true, ..display() }, true);
        let looks = palette.of("web-7d9c5b8f6-abcde", "app");
        assert_eq!(looks, (&Style::sgr("91"), &Style::sgr("33;4")));
    }
}
